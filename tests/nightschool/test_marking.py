"""Marks: three outcomes kept apart, four classes named, counts that add up, one comparison for each distinct pair."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from nightschool.lines import asked_line, read_line
from nightschool.marking import Marked, Matched, Pair, agreed, mark
from nightschool.records import Question, Results, Said, Solutions
from nightschool.report.marks import measure_marks
from nightschool.solved import Solved
from nightschool.statistics import clustered_share
from nightschool.tallies import Tally, classes, tallies


def matched(number: int, answer: str | None, **solutions: list[str]) -> Matched:
    question = Question(
        id=f"q{number}", topic="", question="?", choices=(), truth=None, key=None, source="file", check="unchecked",
        answer=answer,
    )  # fmt: skip
    said = {
        name: Solutions(id=f"q{number}", teacher=name, said=tuple(Said(text=text, finish="stop") for text in texts))
        for name, texts in solutions.items()
    }
    rows = {name: read_line(row.model_dump_json().encode(), "latex", "none") for name, row in said.items()}
    return asked_line(question.model_dump_json().encode()), rows


def boxed(*values: str) -> list[str]:
    return [f"so $\\boxed{{{value}}}$" for value in values]


def marked(*rows: Matched, verdicts: Mapping[Pair, bool | None] | None = None) -> list[Marked]:
    asked: list[Pair] = []

    def compare(pairs: Collection[Pair]) -> Mapping[Pair, bool | None]:
        asked.extend(pairs)
        return verdicts or {}

    found = list(mark(rows, "latex", compare=compare))
    assert sorted(asked) == sorted(verdicts or {}), "one comparison for each distinct pair, and none for the others"
    return found


def solved(rows: list[Marked]) -> list[Solved]:
    return [Solved.model_validate_json(row.line) for row in rows]


def test_right_wrong_missing_and_unjudged_are_four_things() -> None:
    row = matched(0, "x+1", ann=[*boxed("x + 1", "1+x", "1 + x", "x-1", "9^{9^{9}}"), "I do not know", "\\boxed{x"])
    verdicts = {("x+1", "1+x"): True, ("x+1", "x-1"): False, ("x+1", "9^{9^{9}}"): None}
    found = solved(marked(row, verdicts=verdicts))[0].solutions["ann"]
    assert found.marks == ("right", "right", "right", "wrong", "could_not_judge", "no_answer", "no_answer")
    assert found.reasons[-2:] == ("no_box", "open_box")


def test_a_question_without_a_known_truth_has_values_and_no_marks() -> None:
    rows = marked(matched(0, None, ann=boxed("3")), matched(1, "", ann=boxed("4")))
    found = [row.solutions["ann"] for row in solved(rows)]
    assert [(one.values, one.marks) for one in found] == [(("3",), (None,)), (("4",), (None,))]
    assert classes(rows) == {"no_truth": 2}
    assert measure_marks(tallies(rows), classes(rows)) is None


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (["all_right", "all_right"], "all_right"), (["all_wrong"], "all_wrong"),
        (["all_right", "all_wrong"], "opposed"), (["mixed", "all_wrong"], "mixed"),
        (["all_right", "mixed"], "mixed"), ([], None),
    ],
)  # fmt: skip
def test_the_four_classes(results: list[Results], expected: str | None) -> None:
    assert agreed(results) == expected
    assert agreed(results[::-1]) == expected


def test_a_row_is_written_as_pydantic_writes_it() -> None:
    rows = marked(matched(0, "1", ann=boxed("1", "2"), ben=["none"]), matched(1, None), matched(2, "3", ben=boxed("3")))
    assert [row.model_dump_json().encode() + b"\n" for row in solved(rows)] == [row.line for row in rows]
    assert [row.results for row in solved(rows)] == [{"ann": "mixed"}, {}, {"ben": "all_right"}]


def test_counts_add_up_over_chunks() -> None:
    rows = marked(
        matched(0, "1", ann=boxed("1", "1"), ben=boxed("1", "2")),
        matched(1, "2", ann=boxed("2"), ben=["none"]),
        matched(2, "3", ann=boxed("1", "4")),
        matched(3, "4"),
    )
    whole = tallies(rows)
    first, last = tallies(rows[:1]), tallies(rows[1:])
    assert {name: first[name] + last[name] for name in first} == whole
    assert whole["ann"] == Tally(
        questions=3, marks={"right": 3, "wrong": 2}, results={"all_right": 2, "all_wrong": 1}, aa=9, ra=5, rr=5
    )
    assert whole["ben"].reasons == {"no_box": 1}
    assert classes(rows) == {"mixed": 1, "all_right": 1, "all_wrong": 1, "not_judged": 1}
    found = measure_marks(whole, classes(rows))
    assert found is not None
    assert found.teachers[0].right is not None
    assert (found.teachers[0].right.value, found.teachers[0].right.n) == (0.6, 5)


def test_the_interval_knows_that_solutions_to_one_question_are_alike() -> None:
    grid = [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    rows = marked(*(matched(n, "7", ann=boxed(*("7" if one else "8" for one in row))) for n, row in enumerate(grid)))
    found = measure_marks(tallies(rows), classes(rows))
    assert found is not None
    share = found.teachers[0].right
    assert share is not None
    assert (share.value, share.low, share.high) == pytest.approx(clustered_share(grid))
