"""What blocks say stands in the recipe as if written there; what the recipe says itself stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.blocks import Kind
from nightschool.recipe.load import dump_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from tests.nightschool.bad_recipe import RECIPE, recipe_folder

BLOCKS: dict[tuple[str, str], dict[str, Any]] = {
    ("endpoint", "big"): {"engine": "endpoint", "urls": ["http://h/v1"], "key_env": "BIG", "price_in": 2.0},
    ("server", "two-gpus"): {"engine": "vllm", "replicas": 2, "gpus": [0, 1]},
    ("trainer", "four"): {"launcher": "ddp", "devices": 4},
    ("endpoint", "bad"): {"engine": "endpoint", "urls": ["ftp://x"]},
    ("endpoint", "leaky"): {"engine": "endpoint", "urls": ["http://me:sk-canary@h/v1"]},
    ("store", "nights"): {},
    ("notifier", "slack"): {},
}


class Server:
    """Says what its blocks have; `asked` is what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, kind: Kind, name: str) -> Mapping[str, Any]:
        self.asked.append((kind, name))
        if (kind, name) not in BLOCKS:
            raise RecipeError(f"there is no {kind} of that name")
        return BLOCKS[kind, name]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    recipe_folder(tmp_path, monkeypatch)
    return Server()


def loaded(server: Server | None, *edits: tuple[str, str]) -> Recipe:
    text = RECIPE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    Path("r.yaml").write_text(text)
    return load_recipe(Path("r.yaml"), say=server)


ENDPOINT = ("model: /m/a", "model: org/big\n    endpoint: block/big\n    price_in: 3.5")


def test_a_teacher_is_what_its_block_says_and_the_recipe_has_the_last_word(server: Server) -> None:
    teacher = loaded(server, ENDPOINT).teachers[0]
    assert (teacher.engine, teacher.urls, teacher.key_env, teacher.price_in) == (
        "endpoint",
        ("http://h/v1",),
        "BIG",
        3.5,
    )


def test_servers_and_trainers_are_named_in_the_same_way(server: Server) -> None:
    recipe = loaded(
        server,
        ("{name: ben, model: /m/b}", "{name: ben, model: /m/b, server: block/two-gpus}"),
        ("sft: {learning_rate: 1e-3}", "sft: [{learning_rate: 1e-3, trainer: block/four, devices: 2}]"),
    )
    assert (recipe.teachers[1].replicas, recipe.teachers[1].gpus) == (2, (0, 1))
    assert (recipe.sft[0].launcher, recipe.sft[0].devices) == ("ddp", 2)


def test_a_night_goes_on_with_what_its_blocks_said_when_it_began(server: Server, tmp_path: Path) -> None:
    before = loaded(server, ENDPOINT)
    (tmp_path / "again.yaml").write_text(dump_recipe(before))
    assert load_recipe(tmp_path / "again.yaml") == before
    BLOCKS["endpoint", "big"]["urls"] = ["http://other/v1"]
    try:
        assert load_recipe(tmp_path / "again.yaml", say=server) == before
    finally:
        BLOCKS["endpoint", "big"]["urls"] = ["http://h/v1"]


def test_stores_and_notifiers_are_looked_for_before_anything_starts(server: Server) -> None:
    assert loaded(server, ("name: small", "name: small\nstore: block/nights")).store == "block/nights"
    assert server.asked == [("store", "nights")]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("name: small", "name: small\nstore: block/none"), "r.yaml:2: store: there is no store of that name"),
        (("model: /m/a", "model: m\n    endpoint: block/none"), "r.yaml:6: teachers.0.endpoint: there is no endpoint"),
        (("model: /m/a", "model: m\n    endpoint: block/bad"), "r.yaml:6: teachers.0.urls: urls must begin with http"),
        (("model: /m/a", "model: m\n    endpoint: big"), "r.yaml:6: teachers.0.endpoint: is not allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_the_blocks_name(server: Server, edit: tuple[str, str], says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        loaded(server, edit)
    assert says in str(caught.value)


def test_a_password_in_a_blocks_address_is_refused_and_not_repeated(server: Server) -> None:
    with pytest.raises(RecipeError, match=r"r\.yaml:6: teachers\.0\.urls\.0: an address holds no password") as caught:
        loaded(server, ("model: /m/a", "model: m\n    endpoint: block/leaky"))
    assert "sk-canary" not in str(caught.value)
