"""From the rows that are taught to a few drawn by chance, and from what people say of them to the share of bad ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import Any, Literal, TypeVar

from nightschool.records import Ruling
from nightschool.report.people import SpotCheck, SpotRow
from nightschool.report.proof import Estimate
from nightschool.review import Decision, content_of
from nightschool.seeds import seed_of
from nightschool.statistics import wilson
from nightschool.values.kinds import Kind
from nightschool.values.read import equal

# Plan 000, 5.3: "Manually review 20 random questions".
SAMPLE = 20

T = TypeVar("T")


def draw(rows: Iterable[tuple[str, T]], *, seed: int, n: int = SAMPLE) -> list[T]:
    """So many of the rows by chance, each with its id.

    The draw depends on a row alone, so that others don't reshuffle it, and on nothing that anybody said of it.
    """
    lots = ((seed_of("spot check", seed, name), name, row) for name, row in rows)
    return [row for _, _, row in nsmallest(n, lots, key=lambda lot: lot[:2])]


def is_bad(row: Ruling, decision: Decision, kind: Kind) -> bool:
    """Whether a person does not leave the row standing as it is taught: rejected, answered or argued otherwise."""
    if decision.answer is None or row.answer is None:
        return True
    other = decision.answer != row.answer and equal(row.answer, decision.answer, kind) is not True
    return other or (decision.action == "edit" and decision.reasoning != row.reasoning)


def measure(rows: Iterable[Ruling], said: Mapping[str, Decision], kind: Kind, *, taught: int) -> SpotCheck:
    """What people say of the drawn rows, and the share of bad ones among those that they looked at.

    Args:
        said: the decisions in force, by content.
        taught: how many rows they were drawn from.
    """
    found = tuple(_row(row, said.get(content_of(row.question)), kind) for row in rows)
    judged = [row.verdict == "bad" for row in found if row.verdict]
    share = None
    if n := len(judged):
        low, high = wilson(sum(judged), n)
        share = Estimate(value=sum(judged) / n, low=low, high=high, n=n)
    return SpotCheck(taught=taught, bad=share, rows=found)


def _row(row: Ruling, decision: Decision | None, kind: Kind) -> SpotRow:
    asked: dict[str, Any] = {
        "id": row.id,
        "topic": row.question.topic,
        "question": row.question.question,
        "answer": row.answer or "",
    }
    if decision is None:
        return SpotRow(**asked)
    bad = is_bad(row, decision, kind)
    instead = decision.answer if bad and decision.answer != row.answer else None
    verdict: Literal["good", "bad"] = "bad" if bad else "good"
    return SpotRow(**asked, verdict=verdict, instead=instead, who=decision.who, note=decision.note)
