"""The merge: every question once and in order, each solution under its own teacher and question, byte for byte."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import DataError
from nightschool.lines import AskedLine, SolutionsLine, asked_line, read_line, solutions_line, text_of
from nightschool.marking import unread
from nightschool.merge import beside
from nightschool.records import Question, Said, Solutions
from nightschool.solved import Readings, Solved
from nightschool.values.kinds import Fallback, Kind
from nightschool.values.read import read


def question(number: int) -> Question:
    return Question(
        id=f"q{number}", topic="", question=f"{number}?", choices=(), truth=None, key=None, source="file",
        check="unchecked",
    )  # fmt: skip


def solutions(number: int, teacher: str, *texts: str) -> Solutions:
    return Solutions(id=f"q{number}", teacher=teacher, said=tuple(Said(text=text, finish="stop") for text in texts))


def lines(rows: list[Solutions]) -> Iterator[SolutionsLine]:
    return (solutions_line(row.model_dump_json().encode() + b"\n") for row in rows)


def asked(*numbers: int) -> list[AskedLine]:
    return [asked_line(question(number).model_dump_json().encode() + b"\n") for number in numbers]


def test_every_question_comes_once_with_what_each_teacher_wrote_on_it() -> None:
    rows = {name: lines([solutions(n, name, f"{name} {n}a", f"{name} {n}b") for n in kept])
            for name, kept in (("ann", (0, 2)), ("ben", (1, 2)), ("cleo", ()))}  # fmt: skip
    found = {row.id: said for row, said in beside(asked(0, 1, 2), rows)}
    assert {row_id: sorted(said) for row_id, said in found.items()} == {
        "q0": ["ann"],
        "q1": ["ben"],
        "q2": ["ann", "ben"],
    }
    assert found["q2"]["ben"].texts == ["ben 2a", "ben 2b"]
    assert text_of(found["q2"]["ben"].text(1)) == "ben 2b"


def test_rows_out_of_order_and_to_another_question_are_refused() -> None:
    for numbers in ((1, 0), (0, 7)):
        with pytest.raises(DataError, match="ann's answer q"):
            list(beside(asked(0, 1), {"ann": lines([solutions(n, "ann", "x") for n in numbers])}))


# What JSON must escape, what the lines are cut at, and what looks like a box in one notation and not in the other.
PIECES = [
    "\\boxed{", "\\fbox{", "}", "\\", '"', "\b", "\f", "\n", "\x7f", "oxed{", "box{", "7", "\u2028", "é", "\U0001d7df",
    "</think>", "<think>", "<", '","finish":"', '},{"text":"', '"}]}', ',"said":[{"text":', "answer is B", " yes",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
SAID = st.builds(Said, text=TEXTS, finish=st.sampled_from(["stop", "length"]) | TEXTS, reasoning=st.none() | TEXTS,
                 confidence=st.none() | st.sampled_from([0.0, 0.25, 1.0]))  # fmt: skip


@given(st.lists(SAID, min_size=1, max_size=4), TEXTS)
def test_any_text_comes_through_the_bytes_as_through_the_records(said: list[Said], text: str) -> None:
    line = Solutions(id="q0", teacher="ann", said=tuple(said)).model_dump_json().encode() + b"\n"
    assert solutions_line(line).texts == [one.text for one in said]
    row, asked_ = read_line(line, None, "none"), question(0).model_copy(update={"question": text})
    assert row.sure == [one.confidence for one in said]
    found = unread((asked_line(asked_.model_dump_json().encode() + b"\n"), {"ann": row})).line
    nothing = (None,) * len(said)
    readings = Readings(values=nothing, reasons=nothing, marks=nothing, sure=tuple(one.confidence for one in said))
    wanted = Solved(id="q0", question=asked_, solutions={"ann": readings})
    assert found == wanted.model_dump_json().encode() + b"\n"


@given(SAID, st.sampled_from(["letter", "yes_no", "integer", "number", "latex", "text"]),
       st.sampled_from(["none", "last_number"]))  # fmt: skip
def test_a_value_is_read_from_bytes_as_from_the_text(said: Said, kind: Kind, fallback: Fallback) -> None:
    line = Solutions(id="q", teacher="t", said=(said,)).model_dump_json().encode()
    assert read_line(line, kind, fallback).readings == [read(said.text, kind, fallback=fallback)]


@pytest.mark.parametrize("line", [b"", b"{}", b'{"id":"q","teacher":"t","said":[{"text":"x"}]}', b'{"id":"q","said":['])
def test_a_line_of_another_kind_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_line(line, "latex", "none")
