"""Every way to get a recipe wrong, and the one screen that says where, what and what is allowed."""

import pickle
from pathlib import Path

import pytest

from nightschool.errors import RecipeError, RecipeErrors
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return recipe_folder(tmp_path, monkeypatch)


# what is edited in, and what the message says
BAD_FIELDS = {
    "unknown key": (
        ("  samples: 1", "  sampels: 1"),
        ["r.yaml:11: answers.sampels: unknown key, did you mean samples? (got 1)", "allowed: chunk_minutes, chunk_"],
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
    "a student without sft": (
        ("sft: {learning_rate: 1e-3}\n", ""),
        ["r.yaml:7: student: sft is missing: student, sft and validate go together"],
    ),
    "nobody learns from free text without values": (
        ("  samples: 1", "  samples: 1\n  reply: text"),
        ["r.yaml:9: answers.value: nothing is read out of free text", "allowed: yes_no, letter"],
    ),
    "questions from nowhere": (
        ("{per_topic: 10, top_up: generator}", "{}"),
        ["r.yaml:8: pool.per_topic: questions are written (per_topic) or come from a file"],
    ),
    "a file that is not there": (
        ("{per_topic: 10, top_up: generator}", "{file: q.jsonl}"),
        ["r.yaml:8: pool.file:", "q.jsonl cannot be read: No such file", 'got "q.jsonl"'],
    ),
    "a file that is no questions": (
        ("{per_topic: 10, top_up: generator}", "{file: p.txt}"),
        [
            "r.yaml:8: pool.file:",
            "a file of questions ends in .jsonl, .json, .csv, .tsv, .parquet or .arrow, not in '.txt'",
        ],
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


def test_a_model_that_the_school_does_not_make(folder: Path) -> None:
    message = message_of(RECIPE, sets=("school={kind: random}", "student.model=school:ann"))
    assert 'student.model: the school makes no such model (got "school:ann"); allowed: school:student' in message


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


def test_several_errors_come_whole_from_another_process() -> None:
    both = RecipeErrors([RecipeError("is missing", field="a"), RecipeError("is out of range", field="b", value=3)])
    assert str(pickle.loads(pickle.dumps(both))) == str(both) == "a: is missing\nb: is out of range (got 3)"
