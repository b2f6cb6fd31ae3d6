"""From what a loop's rounds gained to which of them is kept: dpo goes on as long as it makes the student better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from nightschool.recipe.learning import Rounds
from nightschool.records import Measured
from nightschool.report.proof import Estimate, Gain

RULES_VERSION = 1

# What chooses a student may not prove it: gates look at the side that no proof is from.
SIDE: Literal["validation"] = "validation"

Ended = Literal["gate", "no_pairs"]


@dataclass(frozen=True, slots=True)
class Gate:
    """The student in front of round `number` + 1, and whether the loop goes on: the start, 0, always does.

    `gain` is over the student before the round; what was not measured does not pass. `baselines`: what guessing reaches
    on these questions.
    """

    number: int
    accuracy: Estimate | None
    gain: Gain | None
    passed: bool
    baselines: dict[str, Estimate] = field(default_factory=dict)


def gate(
    number: int, rows: Sequence[Measured], before: Sequence[Measured], loop: Rounds, *, closed: bool = True
) -> Gate:
    """Hold a round against the student that it began with, on the questions that both answered.

    Args:
        rows: answers after the round, or of the start.
        before: answers of the round before; none for the start.
        closed: whether answers are a few that come again and again, so that they make classes.

    Source: plan 002, Phase C, whose loop had no gate; issue 5, 4.
    """
    from nightschool.report.grid import accuracy  # numpy, which naming a night needs not
    from nightschool.report.guessing import baselines
    from nightschool.report.measure import compare

    gain = compare(f"round {number - 1}" if number > 1 else "the start", before, rows) if number else None
    counted = None if gain is None else gain.low if loop.by == "interval" else gain.value
    passed = number == 0 or (counted is not None and counted >= loop.at_least)
    return Gate(number, accuracy(rows) if rows else None, gain, passed, baselines(rows, closed=closed))


@dataclass(frozen=True, slots=True)
class Course:
    """A loop as far as it has come: `last` is the last round that is trained, `kept` the last good one by now."""

    gates: tuple[Gate, ...]
    last: int
    kept: int
    ended: Ended | None = None


def course(gates: Sequence[Gate], most: int, *, without_pairs: int | None) -> Course:
    """What becomes of a loop.

    Args:
        gates: as far as they were measured, in order from the start's.
        most: rounds that the recipe allows.
        without_pairs: the first round from the second on whose drafts made no pair, if there is one: nothing was wrong,
            or nothing was right, so the loop has come to its end. A first round without pairs is an error as ever.
    """
    seen: list[Gate] = []
    for one in gates:
        seen.append(one)
        if not one.passed:
            return Course(tuple(seen), one.number, one.number - 1, "gate")
    kept = seen[-1].number if seen else 0
    if without_pairs is not None:
        return Course(tuple(seen), without_pairs - 1, kept, "no_pairs")
    return Course(tuple(seen), most, kept)
