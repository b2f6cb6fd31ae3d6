"""Kinds of data that are known by name, choices in every shape, and answers that are never invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks import real_data
from nightschool.errors import DataError
from nightschool.records import LETTERS
from nightschool.sources.kinds import KINDS, KindName, Names
from nightschool.sources.load import Loaded, Where, load
from nightschool.sources.mapping import Form
from nightschool.sources.reading import level_of


def loaded(tmp_path: Path, kind: KindName, *records: dict[str, Any], bad: float = 0, **form: Any) -> Loaded:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return load(Where([path]), Form(**{"kind": kind, "names": KINDS[kind].names, **form}), max_bad_rows=bad)


def answers(found: Loaded) -> list[str | None]:
    return [row.answer for row in found.questions]


def test_strategyqa_says_yes_and_no_and_keeps_its_facts(tmp_path: Path) -> None:
    facts = {"facts": ["f"], "decomposition": ["d #1"], "evidence": [[["no_evidence"]]]}
    found = loaded(tmp_path, "strategyqa", {"qid": "x", "question": "a?", "answer": True, **facts},
                   {"qid": "y", "question": "b?", "answer": False}, {"question": "c?"}, bad=1)  # fmt: skip
    assert answers(found) == ["yes", "no"]
    first, _ = found.questions
    assert (first.name, first.fields["facts"]) == ("x", ["f"])
    assert [row.reason for row in found.dropped] == ["no_answer"]


def test_math_takes_the_last_whole_box_and_never_guesses_a_level(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "math",
        {"problem": "a", "level": "Level 3", "type": "Algebra", "solution": r"\boxed{1} then $\boxed{\frac{9}{7}}$."},
        {"problem": "b", "level": "Level ?", "type": "Geometry", "solution": r"so \boxed{x}"},
        {"problem": "c", "level": "Level 1", "type": "Algebra", "solution": "it is 7, " * 20},
        bad=1,
    )  # fmt: skip
    assert [(row.answer, row.level, row.topic) for row in found.questions] == [
        (r"\frac{9}{7}", "3", "Algebra"), ("x", None, "Geometry"),
    ]  # fmt: skip
    assert [row.reason for row in found.dropped] == ["no_answer"]


def test_levels_are_chosen_and_what_is_left_out_is_no_bad_row(tmp_path: Path) -> None:
    rows = [{"problem": f"{n}", "level": f"Level {level}", "solution": r"\boxed{1}"} for n, level in enumerate("123?")]
    found = loaded(tmp_path, "math", *rows, levels={"1", "2"})
    assert [row.level for row in found.questions] == ["1", "2"]
    assert [row.reason for row in found.dropped] == ["other_level", "no_level"]


@pytest.mark.parametrize(
    ("given", "level"),
    [("Level 3", "3"), (3, "3"), (3.0, "3"), (4.5, "4.5"), (0.0, None), ("Level ?", None), (None, None), ("", None),
     ("hard", "hard")],
)  # fmt: skip
def test_a_level_has_one_spelling(given: object, level: str | None) -> None:
    assert level_of(given) == level


def test_gsm8k_has_its_answer_behind_the_hashes(tmp_path: Path) -> None:
    texts = ["2+3=<<2+3=5>>5\n#### 5", "a lot\n#### 1,234,567", "cold\n#### -12", "no hashes, 5 apples"]
    found = loaded(tmp_path, "gsm8k", *({"question": f"{n}", "answer": text} for n, text in enumerate(texts)), bad=1)
    assert answers(found) == ["5", "1234567", "-12"]


def test_deepscaler_is_dirty_and_is_asked_all_the_same(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "deepscaler", {"problem": "a", "answer": None, "difficulty": 3.0, "type": "Algebra"},
        {"problem": "b", "answer": "24", "difficulty": 0.0, "type": "Geometry"},
    )  # fmt: skip
    assert [(row.answer, row.level) for row in found.questions] == [(None, "3"), ("24", None)]


def test_an_answer_out_of_range_is_dropped_and_never_clipped(tmp_path: Path) -> None:
    given = ["0", "$99{,}999$", "007", "42.0", "-1", "100000", r"\frac{9}{3}", "3x", "2.5", "", "\u0664\u0662"]
    found = loaded(tmp_path, "aimo", *({"id": n, "problem": f"p{n}", "answer": text} for n, text in enumerate(given)),
                   bad=1)  # fmt: skip
    assert answers(found) == ["0", "99999", "7", "42", "42"]
    assert [row.reason for row in found.dropped] == [
        "out_of_range", "out_of_range", "not_an_integer", "not_an_integer", "not_an_integer", "no_answer",
    ]  # fmt: skip
    narrow = loaded(tmp_path, "math", {"problem": "a", "solution": r"\boxed{1000}"},
                    {"problem": "b", "solution": r"\boxed{999}"}, integers=(0, 999))  # fmt: skip
    assert answers(narrow) == ["999"]


def test_bigbench_options_become_choices_in_both_of_its_forms(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "bigbench",
        {"input": "Who is first?\nOptions:\n(A) The owl is.\n(B) The hawk is.\n(C) Nobody.", "target": "(B)"},
        {"input": "Valid?\nOptions:\n- valid \n- invalid", "target": "invalid"},
        {"input": "True or False is", "target": "True"},
        {"input": "Which?", "target_scores": {"x": 0, "y": 1}, "target": ["y"]},
    )  # fmt: skip
    assert [(row.question, row.choices, row.truth) for row in found.questions] == [
        ("Who is first?", ("The owl is.", "The hawk is.", "Nobody."), "B"),
        ("Valid?", ("valid", "invalid"), "B"),
        ("True or False is", (), None),
        ("Which?", ("x", "y"), "B"),
    ]
    assert answers(found) == ["B", "B", "True", "B"]


PLAIN = Names(("q",), choices=("c",), letter="l")
SHAPES: dict[str, tuple[Names, dict[str, Any], str]] = {
    "a list and a letter": (PLAIN, {"c": ["x", "y", "z"], "l": "c."}, "C"),
    "labelled": (PLAIN, {"c": ["A) x", "B) y", "C) z"], "l": "(b)"}, "B"),
    "letters as choices": (PLAIN, {"c": ["C", "B", "A"], "l": "A"}, "A"),
    "a place": (PLAIN, {"c": ["x", "y"], "l": 1}, "B"),
    "labels of their own": (PLAIN, {"c": {"text": ["x", "y"], "label": ["1", "2"]}, "l": "1"}, "A"),
    "by name": (PLAIN, {"c": {"A": "x", "B": "y"}, "l": "B"}, "B"),
    "columns and the text": (Names(("q",), answer="a", choices=("c1", "c2")), {"c1": "x", "c2": "Y", "a": "y"}, "B"),
    "ten": (PLAIN, {"c": list("0123456789"), "l": "J"}, "J"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_choices_come_in_many_shapes(tmp_path: Path, name: str) -> None:
    names, record, letter = SHAPES[name]
    (row,) = loaded(tmp_path, "plain", {"q": "Which?", **record}, names=names).questions
    assert (row.truth, row.answer, row.key) == (letter, letter, None)
    assert row.lettered.splitlines()[0] == f"A) {row.choices[0]}"


FLAWS: dict[str, tuple[dict[str, Any], str]] = {
    "one choice": ({"c": ["x"], "l": "A"}, "few_choices"),
    "no list": ({"c": "x", "l": "A"}, "few_choices"),
    "eleven": ({"c": [str(n) for n in range(11)], "l": "A"}, "many_choices"),
    "an empty one": ({"c": ["x", " "], "l": "A"}, "empty_choice"),
    "a null": ({"c": ["x", None], "l": "A"}, "empty_choice"),
    "the same twice": ({"c": ["x", "X "], "l": "A"}, "same_choices"),
    "a letter too far": ({"c": ["x", "y"], "l": "C"}, "no_such_choice"),
    "a place too far": ({"c": ["x", "y"], "l": 2}, "no_such_choice"),
    "a place before the first": ({"c": ["x", "y"], "l": -1}, "no_such_choice"),
    "a Cyrillic letter": ({"c": ["x", "y"], "l": "\u0410"}, "no_such_choice"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_choices_that_can_not_be_asked_are_bad_rows(tmp_path: Path, name: str) -> None:
    record, reason = FLAWS[name]
    good = {"q": "Which?", "c": list(LETTERS), "l": "A"}
    found = loaded(tmp_path, "plain", good, {"q": "What?", **record}, names=PLAIN, bad=1)
    assert [row.reason for row in found.dropped] == [reason]


def test_the_same_question_with_other_choices_is_another(tmp_path: Path) -> None:
    rows = [{"q": "Which is true?", "c": [f"{n}", "none"], "l": "A"} for n in range(2)]
    assert len(loaded(tmp_path, "plain", *rows, names=PLAIN).questions) == 2


# name: kind, rows, questions, duplicates, shares of a few answers
REAL: dict[str, tuple[KindName, int, int, dict[str, int]]] = {
    "strategyqa/train.json": ("strategyqa", 2061, 2060, {"yes": 963, "no": 1097}),
    "gsm8k/train.jsonl": ("gsm8k", 7473, 7473, {}),
    "gsm8k/test.jsonl": ("gsm8k", 1319, 1319, {}),
    "math/math_test_4500.jsonl": ("math", 4500, 4500, {}),
    "math/rllm_math_train_7474.json": ("deepscaler", 7474, 7473, {}),
    "logic/logical_deduction_five_objects.json": ("bigbench", 250, 250, {"D": 56}),
    "logic/formal_fallacies.json": ("bigbench", 250, 250, {"A": 133, "B": 117}),
    "logic/boolean_expressions.json": ("bigbench", 250, 250, {"True": 135, "False": 115}),
    "logic/LogicalDeduction_train.json": ("logiclm", 1200, 1200, {"G": 83}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_whole(name: str) -> None:
    if lost := real_data.missing(name):
        pytest.skip(lost)
    kind, rows, questions, shares = REAL[name]
    found = load(Where([real_data.FOLDER / name]), Form(kind=kind, names=KINDS[kind].names))
    assert (found.rows, len(found.questions), found.bad) == (rows, questions, 0)
    assert {answer: answers(found).count(answer) for answer in shares} == shares


def test_a_plain_reader_is_told_where_the_rows_of_bigbench_lie() -> None:
    if lost := real_data.missing("logic/formal_fallacies.json"):
        pytest.skip(lost)
    with pytest.raises(DataError, match="which has: canary, examples"):
        load(Where([real_data.FOLDER / "logic/formal_fallacies.json"]), Form())
