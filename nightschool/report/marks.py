"""From counted marks to the part of the report that says what each teacher got right, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightschool.report.estimates import guessed
from nightschool.report.proof import Estimate, Marks, TeacherMarks
from nightschool.report.tables import Table
from nightschool.report.text import percent
from nightschool.statistics import ragged_share
from nightschool.tallies import Tally

CLASSES = {
    "all_right": "every teacher always right",
    "mixed": "a teacher both right and wrong",
    "opposed": "one teacher always right, another always wrong",
    "all_wrong": "every teacher always wrong",
    "not_judged": "no solution could be judged",
    "no_truth": "no answer to compare with",
}


def measure_marks(
    tallies: Mapping[str, Tally], classes: Mapping[str, int], baselines: Mapping[str, Estimate] | None = None
) -> Marks | None:
    """None where no solution has a mark; `baselines`: what guessing reaches on questions whose truth is known."""
    if not any(tally.marks for tally in tallies.values()):
        return None
    teachers = tuple(
        TeacherMarks(
            name=name,
            right=_share(tally),
            questions=tally.questions,
            marks={mark: tally.marks.get(mark, 0) for mark in ("right", "wrong", "no_answer", "could_not_judge")},
            results={result: tally.results.get(result, 0) for result in ("all_right", "mixed", "all_wrong")},
            reasons=dict(sorted(tally.reasons.items(), key=lambda item: (-item[1], item[0]))),
        )
        for name, tally in tallies.items()
    )
    return Marks(teachers=teachers, classes={name: classes.get(name, 0) for name in CLASSES if classes.get(name)},
                 baselines=dict(baselines or {}))  # fmt: skip


def _share(tally: Tally) -> Estimate | None:
    marks = tally.marks
    judged = sum(marks.values()) - marks.get("could_not_judge", 0)
    if not judged:
        return None
    right = marks.get("right", 0)
    value, low, high = ragged_share(tally.questions, judged, right, aa=tally.aa, ra=tally.ra, rr=tally.rr)
    return Estimate(value=value, low=low, high=high, n=judged)


def marks_table(found: Marks) -> Table:
    """One column per teacher, so that the table fits a phone; then what guessing reaches."""
    guesses = guessed(found.baselines)
    shares = [*(teacher.right for teacher in found.teachers), *(one for _, one in guesses)]
    rows = [
        ["right", *(percent(share.value) if share else "" for share in shares)],
        ["95% interval", *(f"{percent(share.low)} to {percent(share.high)}" if share else "" for share in shares)],
        ["solutions judged", *(f"{share.n:,}" if share else "" for share in shares)],
    ]
    for title, name in (("wrong", "wrong"), ("no answer", "no_answer"), ("could not be judged", "could_not_judge")):
        rows += [[title, *(f"{teacher.marks.get(name, 0):,}" for teacher in found.teachers)]]
    for title, name in (("all right", "all_right"), ("mixed", "mixed"), ("all wrong", "all_wrong")):
        rows += [[f"questions {title}", *(f"{teacher.results.get(name, 0):,}" for teacher in found.teachers)]]
    wide = 1 + len(shares)
    padded = [[*row, *[""] * (wide - len(row))] for row in rows]
    return ["", *(teacher.name for teacher in found.teachers), *(name for name, _ in guesses)], padded


def view(found: Marks | None) -> dict[str, Any]:
    """Table and bars, by the names that the template uses."""
    bars = [(CLASSES[name], count) for name, count in found.classes.items()] if found else []
    return {
        "marks_table": marks_table(found) if found else None,
        "class_bars": bars,
        "class_most": max((count for _, count in bars), default=0),
    }
