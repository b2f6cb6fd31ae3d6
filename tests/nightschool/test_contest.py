"""A contest's rules, against rows as real contestants write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.contest import Contest, breaches
from nightschool.contest_file import judge_file, load_contest
from nightschool.errors import DataError, RecipeError

FOLDER = Path(__file__).parents[2] / "configs" / "contests"
AAIPL = load_contest(FOLDER / "aaipl.yaml")
AIMO = load_contest(FOLDER / "aimo.yaml")
GOOD: dict[str, Any] = {
    "topic": "Seating",
    "question": "Who sits left of Ann?",
    "choices": ["A) Bob", "B) Cid", "C) Dan", "D) Eve"],
    "answer": "A",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=10,
)


def words(text: str) -> int:
    return len(text.split())


def broken(record: dict[str, Any], contest: Contest = AAIPL, kind: str = "questions") -> list[str]:
    return [breach.rule for breach in breaches(record, contest.files[kind], count=words)]


def test_every_contest_that_ships_can_be_read() -> None:
    assert {load_contest(file).name for file in FOLDER.glob("*.yaml")} == {file.stem for file in FOLDER.glob("*.yaml")}


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({}, []),
        ({"explanation": "it is so"}, []),
        ({"answer": "a"}, []),
        ({"answer": "AB"}, ["no_letter"]),
        ({"answer": "E"}, ["no_letter"]),
        ({"answer": ""}, ["not_text", "no_letter"]),
        ({"answer": 1}, ["not_text", "no_letter"]),
        ({"question": " "}, ["not_text"]),
        ({"choices": ["A) Bob", "B) Cid", "C) Dan"]}, ["choices"]),
        ({"choices": ["A) 1", "B) 2", "C) 3", "D) 4", "E) 5"]}, ["choices"]),
        ({"choices": ["B) 1", "A) 2", "C) 3", "D) 4"]}, ["choice_letters"]),
        ({"choices": ["A) 1", "B) 1", "C) 3", "D) 4"]}, ["same_choices"]),
        ({"choices": ["A) 1", "B)", "C) 3", "D) 4"]}, ["empty_choice"]),
        ({"choices": "A) 1 B) 2"}, ["not_choices"]),
        ({"question": "why " * 200}, ["too_many_tokens"]),
        ({"explanation": "so " * 1100}, ["too_many_tokens"]),
    ],
)
def test_a_question_of_plan_000(change: dict[str, Any], rules: list[str]) -> None:
    assert broken({**GOOD, **change}) == rules


def test_the_sample_files_name_of_the_answer_is_accepted_and_its_lack_is_not() -> None:
    renamed = {("expected_answer" if key == "answer" else key): value for key, value in GOOD.items()}
    assert broken(renamed) == []
    assert broken({key: value for key, value in GOOD.items() if key != "answer"}) == ["missing_key"]


def test_the_kind_of_a_record_is_told_by_its_keys() -> None:
    assert AAIPL.kind_of({"answer": "A", "reasoning": "so"}) == "answers"
    assert AAIPL.kind_of({"topic": "t", "question": "q", "choices": [], "expected_answer": "A"}) == "questions"


def test_130_tokens_after_15_of_overhead_are_one_too_many() -> None:
    taken = 8 + 1  # the choices' words and the answer's
    assert broken({**GOOD, "question": "w " * (129 + 15 - taken)}) == []
    assert broken({**GOOD, "question": "w " * (130 + 15 - taken)}) == ["too_many_tokens"]


@pytest.mark.parametrize(
    ("answer", "rules"),
    [
        ("0", []),
        (99999, []),
        ("100000", ["out_of_range"]),
        (-1, ["out_of_range"]),
        ("27.0", ["no_integer"]),
        ("336^\\circ", ["no_integer"]),
        (True, ["no_integer"]),
        ("\u0663", ["no_integer"]),
        (None, ["no_integer"]),
    ],
)
def test_an_answer_of_plan_003_is_never_clipped(answer: object, rules: list[str]) -> None:
    assert broken({"id": "1983_AIME_1", "answer": answer}, AIMO, "submission") == rules


@given(st.dictionaries(st.sampled_from(["topic", "question", "choices", "answer", "id", "x"]), ANYTHING))
def test_no_record_is_too_odd(record: dict[str, Any]) -> None:
    for contest in (AAIPL, AIMO):
        for rules in contest.files.values():
            for breach in breaches(record, rules, count=words):
                assert breach.detail is not None


@pytest.mark.parametrize(
    "text",
    [
        orjson.dumps([GOOD, GOOD]).decode(),
        "\n".join([orjson.dumps(GOOD).decode()] * 2),
        repr([GOOD, GOOD]),
        f"{GOOD!r}\n{GOOD!r}\n",
        orjson.dumps([orjson.dumps(GOOD).decode()] * 2).decode(),
        "\ufeff" + orjson.dumps([GOOD, GOOD]).decode(),
    ],
    ids=["json", "jsonl", "python list", "python lines", "list of json strings", "byte order mark"],
)
def test_real_files_come_in_many_notations(tmp_path: Path, text: str) -> None:
    file = tmp_path / "questions.json"
    file.write_text(text, encoding="utf-8")
    found = judge_file(file, AAIPL)
    assert (found.kind, len(found.rows), found.valid, found.unchecked) == ("questions", 2, 2, ("too_many_tokens",))


def test_bad_rows_are_named_by_place_and_rule(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b"\n".join([orjson.dumps(GOOD), b"rubbish", b"", orjson.dumps({**GOOD, "answer": "Z"})]))
    found = judge_file(file, AAIPL, count=words)
    assert [(row.place, [one.rule for one in row.breaches]) for row in found.rows] == [
        (1, []), (2, ["not_a_record"]), (4, ["no_letter"])
    ]  # fmt: skip
    assert not found.taken


def test_a_submission_names_each_problem_once(tmp_path: Path) -> None:
    file = tmp_path / "submission.csv"
    file.write_text("id,answer\na,1\nb,2\na,3\n")
    found = judge_file(file, AIMO)
    assert [[one.rule for one in row.breaches] for row in found.rows] == [[], [], ["repeated"]]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]"])
def test_a_file_without_records_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "questions.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"questions\.json"):
        judge_file(file, AAIPL)


def test_rules_of_a_contest_are_checked_like_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nfiles:\n  answers:\n    keys: [answer]\n    letter: {field: reply, letters: AB}\n")
    with pytest.raises(RecipeError, match=r"mine\.yaml:.*files\.answers: a rule is of reply, which is no key"):
        load_contest(file)
    with pytest.raises(RecipeError, match="--kind"):
        judge_file(file, AAIPL, kind="essays")
