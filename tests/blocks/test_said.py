"""Blocks on a real Prefect server: named in a recipe, their secrets in the environment and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks import said
from blocks.places import folder_of, open_store
from blocks.said import say, secrets_of
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.load import dump_recipe
from tasks.recipes import read_recipe

KEY, ID, SECRET = "canary-key-7d1", "canary-id-44f", "canary-secret-9aa"
RECIPE = """
name: paid
store: block/nights
teachers: [{name: ann, model: ann, endpoint: block/big}]
pool: {file: q.jsonl}
answers: {reply: text, prompt: p.txt}
"""


@pytest.fixture
def registered(prefect_harness: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from blocks.registered import register

    for name in [name for name in os.environ if name.startswith("NIGHTSCHOOL_")]:
        monkeypatch.delenv(name)
    register()


def test_a_recipe_takes_all_from_blocks_but_their_secrets(registered: None, tmp_path: Path) -> None:
    from blocks.registered import Endpoint, Store

    Endpoint(urls=["http://127.0.0.1:9/v1"], key=SecretStr(KEY), price_in=2.0).save("big", overwrite=True)
    place = (tmp_path / "there").as_uri()
    Store(url=place, options={"auto_mkdir": True}).save("nights", overwrite=True)  # type: ignore[arg-type]
    (tmp_path / "paid.yaml").write_text(RECIPE)
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    (tmp_path / "q.jsonl").write_text('{"question": "1+1?"}\n')
    recipe = read_recipe(str(tmp_path / "paid.yaml"))
    teacher = recipe.teachers[0]
    assert (teacher.urls, teacher.price_in, teacher.endpoint) == (("http://127.0.0.1:9/v1",), 2.0, "block/big")
    assert os.environ[teacher.key_env or ""] == KEY
    assert KEY not in dump_recipe(recipe)
    store = open_store(recipe.store)
    assert (store.place, store.root) == ("block/nights", folder_of(place))
    store.probe()


def test_a_store_of_s3_has_its_credentials_from_its_block(
    registered: None, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from blocks.registered import Store

    monkeypatch.chdir(tmp_path)
    url = os.environ["AWS_ENDPOINT_URL"]
    for name in s3:
        monkeypatch.delenv(name)
    block = Store(url="s3://nights/blocks", endpoint_url=url, key=SecretStr(ID), secret=SecretStr(SECRET))
    block.save("s3", overwrite=True)
    found = secrets_of("store", "block/s3")
    assert (found["key"], found["secret"]) == (ID, SECRET)
    store = open_store("block/s3")
    store.probe()
    (store.root / "nights").mkdir(parents=True)
    (store.root / "nights" / "x").write_text("there")
    store.mirror(store.root / "nights" / "x")
    assert SECRET not in "".join(str(path) for path in store.root.rglob("*"))


def test_a_block_that_is_not_there_is_told_with_what_to_do(registered: None) -> None:
    with pytest.raises(RecipeError, match=r"no nightschool-endpoint of that name.*nightschool blocks register"):
        say("endpoint", "nobody")
    with pytest.raises(RecipeError, match="no slack-webhook of that name"):
        say("notifier", "slack-webhook/nobody")


def test_without_a_server_blocks_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings({PREFECT_API_URL: None}),
        pytest.raises(RecipeError, match="PREFECT_API_URL of one"),
    ):
        say("endpoint", "big")
    with temporary_settings({PREFECT_API_URL: "http://me:canary@127.0.0.1:9/api"}):
        with pytest.raises(WorldError, match="cannot be asked") as caught:
            say("endpoint", "big")
        assert "canary" not in str(caught.value)


def test_every_field_of_a_form_says_what_it_is() -> None:
    from blocks.registered import KINDS

    assert sorted(said.SLUGS.values()) == sorted(kind.get_block_type_slug() for kind in KINDS)
    for kind in KINDS:
        assert kind.get_description()
        silent = [name for name, field in kind.model_fields.items() if not (field.title and field.description)]
        assert silent == []


def test_a_field_that_may_be_left_out_is_one_input_with_the_recipes_limits() -> None:
    """Of `int | None` Prefect's page would make two tabs, integer and null."""
    from blocks.registered import KINDS, ModelServer

    fields = {name: field for kind in KINDS for name, field in kind.model_json_schema()["properties"].items()}
    tabs = {name for name, field in fields.items() if "anyOf" in field}
    assert tabs == {"enable_prefix_caching", "gradient_checkpointing"}, "a switch can't be put back to neither"
    gpus, replicas = fields["gpus"], fields["replicas"]
    assert (gpus["type"], replicas["type"], replicas["minimum"]) == ("array", "integer", 1)
    assert fields["launcher"]["enum"] == ["plain", "ddp", "fsdp", "deepspeed"]
    assert fields["key"]["format"] == "password"
    assert ModelServer(gpus=[0, 1]).replicas is None
