"""The spreadsheet of rows that wait: nothing in it acts, and a slip in it is named and changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import DataError
from nightschool.review import Case, Decision, Voice
from nightschool.review_sheet import read, write
from tests.nightschool.review_cases import free, question, ruling

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("=+-@\t\r\n,;\"'\x00\x1b"), max_size=40)


def row(name: str = "q1", asked: str = "What is next?", **said: str) -> Case:
    votes = {"alba": "A", "bruno": "B"}
    open_row = ruling(question(name).model_copy(update={"question": f"{asked} {name}"}), dict(votes))
    voices = tuple(Voice(who, vote, said.get(who, f"{who} thinks {vote}")) for who, vote in votes.items())
    return Case(open_row, voices, "letter")


def filled(cases: list[Case], *answers: Mapping[str, str], delimiter: str = ",") -> str:
    """The sheet as a person saves it, with these cells of its rows filled in."""
    lines = list(csv.DictReader(io.StringIO(write(cases), newline="")))
    for line, answer in zip(lines, answers, strict=False):
        line.update(answer)
    file = io.StringIO(newline="")
    sheet = csv.DictWriter(file, list(lines[0]), delimiter=delimiter)
    sheet.writeheader()
    sheet.writerows(lines)
    return file.getvalue()


def taken(text: str, cases: list[Case]) -> list[Decision]:
    return read(text, cases, file="rows.csv", who="ada", when=NOW, night="n")


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.sampled_from([",", ";"]))
def test_whatever_models_wrote_no_cell_is_a_formula_and_every_row_comes_back(
    texts: list[tuple[str, str, str]], delimiter: str
) -> None:
    cases = [row(f"q{place}", asked, alba=f"x{one}", bruno=two) for place, (asked, one, two) in enumerate(texts)]
    for line in csv.reader(io.StringIO(write(cases), newline="")):
        assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
        assert not {"\x00", "\x1b"} & set("".join(line))
    found = taken(filled(cases, *[{"decision": " a "}] * len(cases), delimiter=delimiter), cases)
    assert [(one.content, one.answer, one.reasoning) for one in found] == [
        (case.content, "A", case.voices[0].reasoning) for case in cases
    ]


def test_a_question_without_choices_shows_what_can_be_filled_in() -> None:
    said = free("integer", alba=("4", "so \\boxed{4}"), bruno=("5", "so \\boxed{5}"))
    [cells] = csv.DictReader(io.StringIO(write([said]), newline=""))
    assert cells["choices"] == "4 | 5"


def test_what_is_left_empty_is_not_decided() -> None:
    cases = [row("q1"), row("q2"), row("q3")]
    found = taken(
        filled(cases, {}, {"decision": "Reject", "note": "bad"}, {"decision": "C", "reasoning": "=1+1"}), cases
    )
    assert [(one.action, one.answer, one.note, one.reasoning) for one in found] == [
        ("reject", None, "bad", ""), ("edit", "C", "", "=1+1"),
    ]  # fmt: skip


def test_a_minus_is_a_number_and_not_a_formula() -> None:
    case = free("integer", alba=("-5", "so \\boxed{-5}"), bruno=("5", "so \\boxed{5}"))
    [found] = taken(filled([case], {"decision": "-5"}), [case])
    assert (found.action, found.answer) == ("choose", "-5")


def test_every_slip_is_named_by_line_field_and_value_and_nothing_is_taken_in() -> None:
    cases = [row(f"q{n}") for n in range(4)]
    text = filled(cases, {"decision": "a"}, {"decision": "E"}, {"decision": "D"}, {"decision": "b", "content": "zzz"})
    with pytest.raises(DataError) as caught:
        taken(text, cases)
    lines = str(caught.value).splitlines()
    assert lines[0] == "rows.csv: nothing was taken in:"
    assert lines[1].startswith("line 3: decision: 'E' is not one of A, B, C, D (got 'E')")
    assert lines[2].startswith("line 4: reasoning: no teacher argues for D")
    assert lines[3] == "line 5: content: no row of this night that waits (got 'zzz')"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the sheet is empty"),
        ("decision,note\na,b\n", "rows.csv:1: the sheet lacks the column content, reasoning"),
        ("content,decision,reasoning,note\n" + '"' + "x" * 200_000, "rows.csv:2: no CSV"),
    ],
)
def test_what_is_no_sheet_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        taken(text, [row()])


def test_two_lines_for_one_row_are_a_slip() -> None:
    text = filled([row()], {"decision": "a"})
    with pytest.raises(DataError, match="line 3: content: another line decides this row too"):
        taken(text + text.splitlines(keepends=True)[1], [row()])
