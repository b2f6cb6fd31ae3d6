"""Files, profiles, overrides and prompts that cannot be read as such: one screen that says where and why."""

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return recipe_folder(tmp_path, monkeypatch)


NOT_A_RECIPE = {
    "malformed": ("name: small\nteachers: [a\nstudent: b\n", "r.yaml:3:8: not YAML: expected ',' or ']', but got ':'"),
    "tab": ("name: small\n\tx: 1\n", "r.yaml:2:1: not YAML: found character '\\t'"),
    "key twice": ("name: small\nseed: 1\nseed: 2\n", "r.yaml:3: seed: key is given twice"),
    "tag": ("name: small\nseed: !!python/object/apply:os.system ['true']\n", "r.yaml:2: YAML tags are not read"),
    "standard tag": ("name: small\nseed: !!str 1\n", "r.yaml:2: YAML tags are not read"),
    "merge key": ("a: &a {x: 1}\nb:\n  <<: *a\n", "r.yaml:3: b: merge keys are not read; a profile does that"),
    "alias bomb": (
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
        "too many values once aliases are expanded",
    ),
    "endless alias": ("a: &a [*a]\n", "r.yaml:1: too many values once aliases are expanded"),
    "nested deep": ("a: " + "[" * 5_000, "r.yaml:1: nested too deep"),
    "list": ("- a\n- b\n", "r.yaml:1: the file must be a mapping of sections"),
    "empty": ("", "r.yaml:1: the file must be a mapping of sections"),
    "two documents": ("a: 1\n---\nb: 1\n", "r.yaml:2:1: not YAML: but found another document"),
    "control character": ("a: \x07\n", "r.yaml: not YAML: unacceptable character #x0007"),
    "half a character": ('name: "\\ud800"\n', "r.yaml:1: name: text holds half a character"),
    "key that is a list": ("? [a]\n: 1\n", "r.yaml:1: a key must be a word"),
}


@pytest.mark.parametrize("name", NOT_A_RECIPE)
def test_not_a_recipe(folder: Path, name: str) -> None:
    text, part = NOT_A_RECIPE[name]
    message = message_of(text)
    assert part in message, message


def test_no_such_file(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"^nowhere\.yaml: there is no such file$"):
        load_recipe(Path("nowhere.yaml"))


def test_a_folder_is_no_file(folder: Path) -> None:
    with pytest.raises(RecipeError, match="this is no file"):
        load_recipe(folder)


def test_too_large(folder: Path) -> None:
    assert "r.yaml: file is too large; allowed: at most 1,000,000 bytes" in message_of("# " + "x" * 1_000_000)


def test_not_text(folder: Path) -> None:
    Path("r.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(RecipeError, match=r"r\.yaml: file cannot be read: 'utf-8' codec"):
        load_recipe(Path("r.yaml"))


def test_profile_that_is_not_there(folder: Path) -> None:
    message = message_of(RECIPE, profile="tini")
    assert message == 'profiles: --profile: there is no such profile, did you mean tiny? (got "tini"); allowed: tiny'


@pytest.mark.parametrize("name", ["../r", "/etc/passwd", ""])
def test_profile_is_a_name_not_a_path(folder: Path, name: str) -> None:
    assert "there is no such profile" in message_of(RECIPE, profile=name)


def test_a_profiles_value_is_named_by_the_profiles_line(folder: Path) -> None:
    message = message_of(RECIPE, profile="tiny")
    assert 'profiles/tiny.yaml:2: answers.samples: has the wrong type (got "many")' in message


BAD_SETS = {
    "answers.samples=0": "--set answers.samples=0: answers.samples: is out of range (got 0); allowed: a whole number",
    "answers.sampels=4": "--set answers.sampels=4: answers.sampels: unknown key, did you mean samples? (got 4)",
    "answrs.samples=4": "--set answrs.samples=4: answrs: unknown key, did you mean answers?",
    "answers.samples": "an override is FIELD=VALUE",
    "=4": "an override is FIELD=VALUE",
    "answers..samples=4": "an override is FIELD=VALUE",
    "teachers.2.name=tom": "teachers.2: no such place in the list; allowed: 0 to 1",
    "teachers.x.name=tom": "teachers.x: no such place in the list; allowed: 0 to 1",
    "name.first=tom": '--set name.first=tom: name: there is no field inside a plain value (got "small")',
    "answers.samples=[1": "--set answers.samples=[1: not YAML",
    "answers.samples=!!str 4": "YAML tags are not read",
    "committee.quorum=5": "--set committee.quorum=5: committee.quorum: 5 is more than the 2 teachers",
    "gates.0.name=x": "gates: the recipe does not give this list: set the whole of it",
}


@pytest.mark.parametrize("text", BAD_SETS)
def test_bad_set(folder: Path, text: str) -> None:
    message = message_of(RECIPE, sets=(text,))
    assert BAD_SETS[text] in message, message


PROMPTS = {
    "[user]\n$question $choices $topicc": "the prompt has a placeholder unknown here: $topicc (got",
    "[user]\n$question": "the prompt lacks $choices",
    "[user]\n$question $choices costs $5": "the prompt has a $ that begins no placeholder",
    "no heading": "prompt file has no [user] section",
}


@pytest.mark.parametrize("text", PROMPTS)
def test_bad_prompt(folder: Path, text: str) -> None:
    Path("q.txt").write_text(text)
    message = message_of(RECIPE, sets=("answers.prompt=q.txt",))
    assert "--set answers.prompt=q.txt: answers.prompt: " in message
    assert PROMPTS[text] in message
