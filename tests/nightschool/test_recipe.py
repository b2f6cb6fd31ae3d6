"""Recipes: read with profile and overrides, written and read back equal, and committed ones load."""

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.errors import RecipeError
from nightschool.recipe.load import dump_recipe, find_recipe, json_schema, load_recipe, recipes
from nightschool.recipe.lora import Lora
from nightschool.recipe.models import Model, Serve
from nightschool.recipe.recipe import Recipe

CONFIGS = Path(__file__).parents[2] / "configs"
PROMPT = "[user]\nSolve $question\n$choices\n"


def minimal() -> dict[str, Any]:
    return {
        "name": "small",
        "teachers": [{"name": "ann", "model": "/m/a"}, {"name": "ben", "model": "/m/b"}],
        "student": {"name": "kim", "model": "/m/k", "prompt": "p.txt"},
        "pool": {"per_topic": 10, "top_up": "generator"},
        "answers": {"prompt": "p.txt"},
        "sft": {"learning_rate": 1e-3},
        "validate": {"per_topic": 20},
    }


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    (tmp_path / "p.txt").write_text(PROMPT)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "tiny.yaml").write_text("answers: {samples: 2}\ntopics: [series]\nsft: {lora: none}\n")
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(minimal()))
    return path


def test_profile_merges_mappings_and_replaces_the_rest(recipe_file: Path) -> None:
    recipe = load_recipe(recipe_file, profile="tiny")
    assert recipe.answers.samples == 2
    assert recipe.answers.prompt.user == "Solve $question\n$choices"
    assert recipe.topics == ("series",)
    assert recipe.sft[0].lora == "none"
    assert recipe.sft[0].learning_rate == 1e-3


def test_profiles_are_laid_over_in_turn_and_a_recipes_own_comes_instead(recipe_file: Path) -> None:
    folder = recipe_file.parent / "profiles"
    (folder / "big.yaml").write_text("answers: {samples: 16, max_tokens: 99}\n")
    both = load_recipe(recipe_file, profile="big,tiny")
    assert (both.answers.samples, both.answers.max_tokens) == (2, 99)
    assert load_recipe(recipe_file, profile="tiny,big").answers.samples == 16
    (folder / recipe_file.stem).mkdir()
    (folder / recipe_file.stem / "big.yaml").write_text("answers: {samples: 3}\n")
    assert load_recipe(recipe_file, profile="big").answers.samples == 3


def test_only_a_recipes_own_profile_adds_a_phase(recipe_file: Path) -> None:
    folder, text = recipe_file.parent / "profiles", "package: {forms: [adapter]}\n"
    (folder / "packed.yaml").write_text(text)
    assert load_recipe(recipe_file, profile="packed").package is None
    (folder / recipe_file.stem).mkdir()
    (folder / recipe_file.stem / "packed.yaml").write_text(text)
    assert load_recipe(recipe_file, profile="packed").package is not None


def test_a_mapping_lies_over_each_of_a_list_and_an_error_names_its_line(recipe_file: Path) -> None:
    (recipe_file.parent / "profiles" / "cpu.yaml").write_text("teachers:\n  threads: 3\n")
    recipe = load_recipe(recipe_file, profile="cpu")
    assert len(recipe.teachers) > 1
    assert {teacher.threads for teacher in recipe.teachers} == {3}
    assert len({teacher.name for teacher in recipe.teachers}) == len(recipe.teachers)
    (recipe_file.parent / "profiles" / "cpu.yaml").write_text("teachers:\n  threads: none\n")
    with pytest.raises(RecipeError, match=re.escape("cpu.yaml:2: teachers.1.threads")):
        load_recipe(recipe_file, profile="cpu")


def test_sets_come_last_and_reach_into_lists_and_missing_sections(recipe_file: Path) -> None:
    sets = [
        "answers.samples=4",
        "teachers.1.name=tom",
        "sft.lora=null",
        "sft.lora.r=8",
        "serve.gpus=[0, 1]",
        "answers.samples=5",
    ]
    recipe = load_recipe(recipe_file, profile="tiny", sets=sets)
    assert recipe.answers.samples == 5
    assert [teacher.name for teacher in recipe.teachers] == ["ann", "tom"]
    assert isinstance(recipe.sft[0].lora, Lora)
    assert recipe.sft[0].lora.r == 8
    assert recipe.serve.gpus == (0, 1)


def test_scalars_are_read_as_yaml_1_2_has_them(recipe_file: Path) -> None:
    sets = ["sft.learning_rate=2e-4", "description=no", "student.model=2026-11-21", "teachers.0.script=", "seed=07"]
    recipe = load_recipe(recipe_file, sets=sets)
    learner = recipe.learner
    assert learner is not None
    assert learner.stages[0].section.learning_rate == 2e-4
    assert (recipe.description, learner.student.model, recipe.seed) == ("no", "2026-11-21", 7)


def test_aliases_are_read(recipe_file: Path) -> None:
    text = recipe_file.read_text() + "serve: {extra_args: &args [--a]}\ngates: []\n"
    recipe_file.write_text(text.replace("- model: /m/a", "- extra_args: [--b]\n  model: /m/a"))
    assert load_recipe(recipe_file).teachers[0].extra_args == ("--b",)


def test_a_prompts_text_is_identity_and_its_place_is_not(recipe_file: Path) -> None:
    before = load_recipe(recipe_file).answers.identity()
    (recipe_file.parent / "q.txt").write_text(PROMPT)
    assert load_recipe(recipe_file, sets=["answers.prompt=q.txt"]).answers.identity() == before
    (recipe_file.parent / "q.txt").write_text(PROMPT + "Think.\n")
    assert load_recipe(recipe_file, sets=["answers.prompt=q.txt"]).answers.identity() != before


def test_execution_is_no_identity(recipe_file: Path) -> None:
    before = load_recipe(recipe_file).identity()
    assert load_recipe(recipe_file, sets=["answers.chunks_in_flight=9", "serve.gpus=[3]"]).identity() == before
    assert load_recipe(recipe_file, sets=["answers.top_p=0.9"]).identity() != before


TEXT = st.text(max_size=40).map(lambda text: text.replace("$", "$$"))
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200)
@given(
    system=TEXT,
    user=TEXT,
    script=st.fixed_dictionaries(
        {"text": TEXT, "models": st.dictionaries(NAMES, st.just({"accuracy": 0.5}), max_size=2)}
    ),
    rate=st.floats(1e-9, 0.9),
    name=NAMES,
)
def test_what_is_dumped_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, system: str, user: str, script: dict[str, Any], rate: float, name: str
) -> None:
    data = minimal()
    data["name"] = name
    data["description"] = user
    data["answers"]["prompt"] = {"system": system, "user": f"{user}\n$question $choices\n{system}"}
    data["student"]["prompt"] = data["answers"]["prompt"]
    data["teachers"][0] |= {"engine": "scripted", "script": script}
    data["sft"]["learning_rate"] = rate
    recipe = Recipe.model_validate(data)
    path = tmp_path_factory.getbasetemp() / "dumped.yaml"
    path.write_text(dump_recipe(recipe), encoding="utf-8", newline="")
    assert load_recipe(path) == recipe


@pytest.mark.parametrize("path", recipes(CONFIGS), ids=lambda path: path.name)
def test_every_committed_recipe_names_the_schema(path: Path) -> None:
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=recipe.schema.json"


def test_the_committed_schema_is_current() -> None:
    committed = json.loads((CONFIGS / "recipe.schema.json").read_text())
    assert committed == json_schema(), "run: nightschool schema > configs/recipe.schema.json"


def test_the_schema_names_every_field_as_the_file_does() -> None:
    assert "validate" in json_schema()["properties"]
    assert json_schema()["additionalProperties"] is False


def test_the_error_of_one_field_is_a_recipe_error(recipe_file: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file, sets=["seed=-1"])
    assert caught.value.exit_code == 2


def test_a_recipe_is_found_by_path_or_by_name(recipe_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_recipe(str(recipe_file)) == recipe_file
    assert find_recipe("no/such.yaml") == Path("no/such.yaml")
    monkeypatch.chdir(recipe_file.parent)
    Path("configs").mkdir()
    recipe_file.rename("configs/mine.yaml")
    assert find_recipe("mine") == Path("configs/mine.yaml")
    with pytest.raises(RecipeError, match=r'no such recipe, did you mean mine\? \(got "mime"\)'):
        find_recipe("mime")


@pytest.mark.parametrize("section", [Serve, Model])
def test_every_field_about_serving_says_what_it_is(section: type[Serve | Model]) -> None:
    assert not [name for name, field in section.model_fields.items() if not field.description]


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ("serve.replicas=0", "serve.replicas", "at least 1"),
        ("serve.gpus=[[0],[0]]", "serve.gpus", "twice"),
        ("teachers.0.gpus=[[0],[1]]", "teachers.0.gpus", "2 groups for 1 replicas"),
        ("serve.extra_args=[--port=1]", "serve.extra_args", "the night sets it"),
        ("serve.extra_args=[--max-num-seqs, '8']", "serve.extra_args", "use the field max_num_seqs"),
        ("teachers.0.budget=3", "teachers.0.budget", "price_in"),
        ("student.adapter=folder", "student.adapter", "merge"),
        ("serve.placement=anyhow", "serve.placement", "sequential"),
        ("serve.max_model_len=1025", "serve.max_model_len", "at most 1024"),
        ("student.max_model_len=4096", "student.max_model_len", "a context of 1,024 tokens"),
    ],
)
def test_what_cannot_be_served_is_told(change: str, field: str, says: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(field)) as told:
        load_recipe(find_recipe("quickstart"), sets=[change])
    assert says in str(told.value)
