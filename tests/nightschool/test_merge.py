"""The merge: every question once and in order, each solution under its own teacher and question, byte for byte."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.lines import Matched, question_line, read_line, solutions_line
from nightschool.marking import unread
from nightschool.merge import merge
from nightschool.records import Question, Said, Solution, Solutions, Solved
from nightschool.values.kinds import Fallback, Kind
from nightschool.values.read import read


def question(number: int) -> Question:
    return Question(
        id=f"q{number}", topic="", question=f"{number}?", choices=(), truth=None, key=None, source="file",
        check="unchecked",
    )  # fmt: skip


def solutions(number: int, teacher: str, *texts: str) -> Solutions:
    return Solutions(id=f"q{number}", teacher=teacher, said=tuple(Said(text=text, finish="stop") for text in texts))


def merged(questions: list[Question], rows: list[Solutions]) -> list[Matched]:
    return list(
        merge(
            [question_line(one.model_dump_json().encode() + b"\n") for one in questions],
            [solutions_line(row.model_dump_json().encode() + b"\n") for row in rows],
        )
    )


def test_replies_in_any_order_come_out_in_the_questions_order() -> None:
    rows = [solutions(n, name, f"{name} {n}a", f"{name} {n}b") for name in ("ann", "ben") for n in (2, 0, 1)]
    found = [Solved.model_validate_json(unread(row).line) for row in merged([question(n) for n in range(3)], rows)]
    assert [row.question.id for row in found] == ["q0", "q1", "q2"]
    assert [said.text for said in found[1].solutions["ben"]] == ["ben 1a", "ben 1b"]


def test_a_teacher_who_said_nothing_is_missing_and_the_question_stays() -> None:
    found = merged([question(0), question(1)], [solutions(1, "ann", "x")])
    assert [sorted(row.solutions) for row in found] == [[], ["ann"]]


# What JSON must escape, what the lines are cut at, and what looks like a box in one notation and not in the other.
PIECES = [
    "\\boxed{", "\\fbox{", "}", "\\", '"', "\b", "\f", "\n", "\x7f", "oxed{", "box{", "7", "\u2028", "é", "\U0001d7df",
    "</think>", "<think>", "<", '","finish":"', '},{"text":"', '"}]}', ',"said":[{"text":', "answer is B", " yes",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
SAID = st.builds(Said, text=TEXTS, finish=st.sampled_from(["stop", "length"]) | TEXTS, reasoning=st.none() | TEXTS)


@given(st.lists(SAID, min_size=1, max_size=4), TEXTS, st.text(max_size=5))
def test_any_text_comes_through_the_bytes_as_through_the_records(said: list[Said], text: str, name: str) -> None:
    row, asked = Solutions(id="q0", teacher=name, said=tuple(said)), question(0).model_copy(update={"question": text})
    found = unread(merged([asked], [row])[0]).line
    wanted = Solved(id="q0", question=asked, solutions={name: tuple(Solution(**dict(one)) for one in said)})
    assert found == wanted.model_dump_json().encode() + b"\n"


@given(SAID, st.sampled_from(["letter", "yes_no", "integer", "number", "latex", "text"]),
       st.sampled_from(["none", "last_number"]))  # fmt: skip
def test_a_value_is_read_from_bytes_as_from_the_text(said: Said, kind: Kind, fallback: Fallback) -> None:
    line = solutions_line(Solutions(id="q", teacher="t", said=(said,)).model_dump_json().encode()).said[0]
    assert read_line(line, kind, fallback) == read(said.text, kind, fallback=fallback)


@pytest.mark.parametrize("line", [b"", b"{}", b'{"id":"q","teacher":"t","said":[{"text":"x"}]}', b'{"id":"q","said":['])
def test_a_line_of_another_kind_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        solutions_line(line)
