"""A recipe that somebody else wrote: refused on one screen, with file, line and field, before anything is started."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from nightschool.recipe.naming import is_night_name, night_name
from nightschool.rendering import rendered
from tests.nightschool.bad_recipe import RECIPE, recipe_folder

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
SAFE = "sk-canary-1234"

_NO_FILE = (("  prompt: p.txt", f"  prompt: {'p' * 5000}"), ["r.yaml:10: answers.prompt: no file can be called so"])

# what is appended or edited in, and what the message says
HOSTILE: dict[str, tuple[tuple[str, str], list[str]]] = {
    "a tag that makes an object": (("seed:", "seed: !!python/object/apply:os.system ['id']\nx:"), ["YAML tags are"]),
    "a tag of any kind": (("seed:", "seed: !!binary aGk=\nx:"), ["YAML tags are not read"]),
    "a billion laughs": (("name: ", f"{BOMB}name: "), ["too many values once aliases are expanded", "allowed: 20,000"]),
    "a recursive anchor": (("name: ", "x: &x [*x]\nname: "), ["too many values"]),
    "nested without end": (("name: ", f"x: {'[' * 5000}\nname: "), ["nested too deep", "24 levels"]),
    "a name that leads out": (("name: ", "name: ../../x #"), ["r.yaml:1: name: is not allowed", '"../../x"']),
    "a name with a control character": (("name: ", 'name: "a\\x1b[31m" #'), ["r.yaml:1: name: is not allowed"]),
    "a name of a megabyte": (("name: ", f"name: {'n' * 900_000} #"), ["r.yaml:1: name: text is too long"]),
    "a name of a kilobyte": (("name: ", f"name: {'n' * 5000} #"), ["r.yaml:1: name: is not allowed"]),
    "a key of a megabyte": (("name: ", f"{'k' * 900_000}: 1\nname: "), ["r.yaml:1:900001: not YAML"]),
    "a long key": (("name: ", f"{'k' * 500}: 1\nname: "), ["r.yaml:1: kkk", "kkk...: key is too long"]),
    "a key with a control character": (("name: ", '"a\\x1b[31m\\nb": 1\nname: '), ["r.yaml:1: a?[31m?b: unknown key"]),
    "a store with an end of text": (("name: ", 'store: "runs\\0/x"\nname: '), ["r.yaml:1: store: is not allowed"]),
    "a store of a kilobyte": (("name: ", f"store: {'s' * 5000}\nname: "), ["r.yaml:1: store: "]),
    "a model's name with a line end": (("model: /m/a", 'model: "/m/a\\nb"'), ["teachers.0.model: is not allowed"]),
    "a prompt that is no file": _NO_FILE,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return recipe_folder(tmp_path, monkeypatch)


def refused(folder: Path, text: str) -> str:
    path = folder / "r.yaml"
    path.write_text(text)
    began = time.monotonic()
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    said = str(caught.value)
    assert len(said) < 6000, "more than a screen"
    assert "\x1b" not in said
    assert time.monotonic() - began < 20, "it hangs"
    return said


@pytest.mark.parametrize(("edit", "says"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_hostile_is_refused(folder: Path, edit: tuple[str, str], says: list[str]) -> None:
    base = RECIPE if edit[0] in RECIPE else f"{edit[0]}1\n{RECIPE}"
    said = refused(folder, base.replace(edit[0], edit[1], 1))
    for word in says:
        assert word in said, said


@pytest.mark.parametrize(
    "url",
    [f"http://user:{SAFE}@host/v1", f"https://host/v1?api_key={SAFE}", f"https://host/v1?x=1&access_token={SAFE}"],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(folder: Path, url: str) -> None:
    said = refused(folder, RECIPE.replace("model: /m/a", f'model: m\n    engine: endpoint\n    urls: ["{url}"]', 1))
    assert "teachers.0.urls.0: an address holds no password and no token" in said
    assert SAFE not in said


def test_a_store_with_a_password_is_refused_and_not_repeated(folder: Path) -> None:
    said = refused(folder, f"store: ftp://me:{SAFE}@host/nights\n{RECIPE}")
    assert "r.yaml:1: store: an address holds no password" in said
    assert SAFE not in said


def test_an_override_with_a_password_is_not_repeated(folder: Path) -> None:
    (folder / "r.yaml").write_text(RECIPE)
    with pytest.raises(RecipeError) as caught:
        load_recipe(folder / "r.yaml", sets=[f"store=ftp://me:{SAFE}@host/nights"])
    assert str(caught.value).startswith("--set store: store: an address holds no password")
    assert SAFE not in str(caught.value)


def test_a_prompt_is_filled_and_never_run(folder: Path) -> None:
    """Templates with code are text: only $names are filled in."""
    code = "{{ ''.__class__.__mro__[1].__subclasses__() }} {% for x in [] %}{% endfor %} ${x.__class__}"
    path = next(folder.rglob("*.txt"))
    path.write_text(f"[user]\n$question $choices {code}\n")
    assert "placeholder" in refused(folder, RECIPE)


def test_a_chat_template_with_code_is_refused() -> None:
    transformers = pytest.importorskip("transformers")
    from jinja2.exceptions import SecurityError

    from nightschool.wire import Message

    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=_words())
    tokenizer.chat_template = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(SecurityError):
        rendered(tokenizer, [(Message(role="user", content="hi"),)], opened=True)


def _words() -> object:
    tokenizers = pytest.importorskip("tokenizers")
    return tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../x", "a\0", "a\nb", "a\x1b[0m", "n" * 64, "-x", "a b", "\u202ename", "x\n"]
)
def test_a_night_is_not_called_so(name: str) -> None:
    assert not is_night_name(name)
    with pytest.raises(RecipeError, match="a night is not called so"):
        night_name(name)


def test_nights_have_the_names_that_people_give() -> None:
    for name in ("quickstart", "night-2026.11.21", "MyNight_2", "n" * 63):
        assert night_name(name) == name


def test_flags_that_load_code_are_trusted_aloud(folder: Path) -> None:
    said = refused(folder, RECIPE.replace("model: /m/a", 'model: /m/a\n    engine: vllm\n    extra_args: ["--middleware=x.y"]', 1))  # fmt: skip # noqa: E501
    assert "teachers.0.extra_args: --middleware=x.y loads code: say trust_remote_code: true as well" in said
