"""Every way to get a recipe wrong, and the one screen that says where, what and what is allowed."""

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe

RECIPE = """\
name: small
topics: [series]
teachers:
  - name: ann
    model: /m/a
  - {name: ben, model: /m/b}
student: {name: kim, model: /m/k, prompt: p.txt}
pool: {per_topic: 10, top_up: generator}
answers:
  prompt: p.txt
  samples: 1
committee: {quorum: 2}
sft: {learning_rate: 1e-3}
validate: {per_topic: 20}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "p.txt").write_text("[user]\n$question\n$choices\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "tiny.yaml").write_text("answers:\n  samples: many\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message_of(text: str, *, profile: str | None = None, sets: tuple[str, ...] = ()) -> str:
    Path("r.yaml").write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(Path("r.yaml"), profile=profile, sets=sets)
    message = str(caught.value)
    assert len(message.splitlines()) <= 15
    assert len(message) < 4_000
    return message


# what is edited in, and what the message says
BAD_FIELDS = {
    "unknown key": (
        ("  samples: 1", "  sampels: 1"),
        ["r.yaml:11: answers.sampels: unknown key, did you mean samples? (got 1)", "allowed: chunk_rows,"],
    ),
    "unknown section": (("committee:", "comittee:"), ["r.yaml:12: comittee: unknown key, did you mean committee?"]),
    "wrong type": (
        ("samples: 1", "samples: four"),
        ['r.yaml:11: answers.samples: has the wrong type (got "four"); allowed: a whole number, at least 1, at most'],
    ),
    "a number in quotes is text": (
        ("samples: 1", "samples: '4'"),
        ['r.yaml:11: answers.samples: has the wrong type (got "4")'],
    ),
    "true is no number": (
        ("samples: 1", "samples: true"),
        ["r.yaml:11: answers.samples: has the wrong type (got true)"],
    ),
    "half a number": (("samples: 1", "samples: 1.5"), ["r.yaml:11: answers.samples: has the wrong type (got 1.5)"]),
    "a list where a mapping belongs": (
        ("pool: {per_topic: 10, top_up: generator}", "pool: [1]"),
        ["r.yaml:8: pool: has the wrong type"],
    ),
    "negative count": (
        ("per_topic: 20", "per_topic: -20"),
        ["r.yaml:14: validate.per_topic: is out of range (got -20); allowed: a whole number, at least 1"],
    ),
    "topic unknown": (
        ("[series]", "[series, sillogisms]"),
        [
            'r.yaml:2: topics.1: unknown value, did you mean syllogisms? (got "sillogisms")',
            "syllogisms, seating, blood_relations",
        ],
    ),
    "topic twice": (("[series]", "[series, series]"), ["r.yaml:2: topics: named more than once: series"]),
    "more quorum than teachers": (
        ("quorum: 2", "quorum: 3"),
        ["r.yaml:12: committee.quorum: 3 is more than the 2 teachers there are (got 3); allowed: 1 to 2"],
    ),
    "missing key": (("    model: /m/a\n", ""), ["r.yaml:4: teachers.0.model: is missing; allowed: text"]),
    "no teachers": (
        ("  - name: ann\n    model: /m/a\n  - {name: ben, model: /m/b}", "  []"),
        ["r.yaml:3: teachers:", "at least 1"],
    ),
    "names twice": (("ben", "ann"), ["r.yaml:3: teachers: named more than once: ann"]),
    "a name that is no name": (
        ("name: ann", "name: ../ann"),
        ['r.yaml:4: teachers.0.name: is not allowed (got "../ann")', "like ^[a-z0-9]"],
    ),
    "missing prompt file": (
        ("  prompt: p.txt", "  prompt: q.txt"),
        ["r.yaml:10: answers.prompt: q.txt: prompt file cannot be read", '(got "q.txt")'],
    ),
    "unknown engine": (
        ("model: /m/a", "engine: vlm"),
        ["r.yaml:5: teachers.0.engine: unknown value, did you mean vllm?", "auto, vllm, transformers"],
    ),
    "a script for no scripted engine": (
        ("model: /m/a", "model: /m/a\n    script: {}"),
        ["r.yaml:6: teachers.0.script: a script is for engine scripted, not auto"],
    ),
    "endpoint without urls": (
        ("model: /m/a", "model: /m/a\n    engine: endpoint"),
        ["teachers.0: engine endpoint needs urls"],
    ),
    "school without a section": (
        ("/m/a", "school:ann"),
        ["r.yaml:5: teachers.0.model: a model is school:NAME but there is no school"],
    ),
    "a key in the recipe": (
        ("model: /m/a", "model: /m/a\n    api_key: hunter2"),
        ["r.yaml:6: teachers.0.api_key: a key is never written in a recipe", "key_env"],
    ),
    "no number": (("1e-3", ".nan"), ['r.yaml:13: sft.learning_rate: not a finite number (got ".nan")']),
    "infinite": (("1e-3", "1e999"), ['r.yaml:13: sft.learning_rate: not a finite number (got "1e999")']),
    "a reply that leaves no room": (
        ("  samples: 1", "  samples: 1\nserve: {max_model_len: 512}"),
        ["answers.max_tokens: 512 leaves no room for the prompt: ann has 512 in all; allowed: less than 512"],
    ),
    "no questions at all": ((", top_up: generator", ""), ["r.yaml:8: pool.top_up: there are no questions"]),
    "dpo without pairs": (("sft:", "dpo: {learning_rate: 1e-4}\nsft:"), ["r.yaml:13: dpo: pairs and dpo go together"]),
    "a gate on a phase left out": (
        ("sft:", "gates:\n  - {name: g, metric: accuracy, stage: dpo, at_least: 0.5}\nsft:"),
        ["r.yaml:14: gates.0.stage: gate g is about dpo, which this recipe leaves out"],
    ),
    "a gate without a limit": (
        ("sft:", "gates:\n  - {name: g, metric: committee_gain}\nsft:"),
        ["r.yaml:14: gates.0: a gate has at_least or at_most"],
    ),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_bad_field(folder: Path, name: str) -> None:
    (old, new), parts = BAD_FIELDS[name]
    assert old in RECIPE
    message = message_of(RECIPE.replace(old, new, 1))
    assert all(part in message for part in parts), message
    assert "hunter2" not in message


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


def test_a_union_is_one_error(folder: Path) -> None:
    message = message_of(RECIPE, sets=("sft.lora.target_modules=3",))
    assert message.count("\n") == 0
    assert "sft.lora.target_modules: has the wrong type (got 3); allowed: text or a list" in message


def test_all_errors_are_listed_in_the_order_of_the_file(folder: Path) -> None:
    message = message_of(
        RECIPE.replace("quorum: 2", "quorum: 0").replace("samples: 1", "samples: x\n  y: 2"), sets=("seed=-1",)
    )
    assert [line.split(": ")[0] for line in message.splitlines()] == [
        "--set seed=-1",
        "r.yaml:11",
        "r.yaml:12",
        "r.yaml:13",
    ]


def test_many_errors_stay_on_one_screen(folder: Path) -> None:
    message = message_of(RECIPE + "".join(f"zzz{i}: 1\n" for i in range(40)))
    assert message.splitlines()[-1] == "and 28 more"


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
