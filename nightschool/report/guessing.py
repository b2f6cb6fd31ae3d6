"""From held-out answers to what guessing reaches, and to the classes that each stage says beside the true ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nightschool.records import Measured
from nightschool.report.grid import gain_over, grid, topics_of
from nightschool.report.proof import Estimate, Gain
from nightschool.report.text import percent
from nightschool.statistics import wilson

# No stage is called so: a name has no blanks.
TRUTH = "the truth"
UNREAD = "no answer"
_COLOURS = ("accent", "sft", "dpo", "third", "fourth", "good", "base")


def baselines(rows: Sequence[Measured], *, closed: bool) -> dict[str, Estimate]:
    """The commonest truth, and chance where answers are a few classes, on the questions that were measured.

    The interval is Wilson's, of a guesser on so many questions. Chance gives each class its turn; where every question
    has the same truth there is nothing to guess.

    Source: plan 002, whose "failed" phase B scored 51.5% on a test of which 51.5% were no: it was the majority class.
    """
    return guess(Counter({row.question: row.truth for row in rows}.values()), closed=closed)


def guess(truths: Counter[str], *, closed: bool) -> dict[str, Estimate]:
    """The same from how often each answer is true."""
    if not truths:
        return {}
    common, times = _commonest(truths)
    count = truths.total()
    found = {f"always {common}": _share(times, count)}
    return found | ({"chance": _share(count / len(truths), count)} if closed and len(truths) > 1 else {})


def said(rows: Mapping[str, Sequence[Measured]], *, closed: bool) -> dict[str, dict[str, int]]:
    """How often each class is true, and how often each stage says it; nothing where answers are no classes.

    Source: plan 002, whose phase B said no to everything while its accuracy looked like one.
    """
    if not closed or not rows:
        return {}
    asked = {row.id: row.truth for one in rows.values() for row in one}
    found = {TRUTH: Counter(asked.values())}
    found |= {stage: Counter(row.value or UNREAD for row in one) for stage, one in rows.items()}
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def leaning(found: Mapping[str, Mapping[str, int]], stage: str) -> str:
    """The class that a stage says too often, in words; nothing where that is not known. Counts of this very night's
    answers, which estimate nothing."""
    counts, truths = found.get(stage, {}), found.get(TRUTH, {})
    if not counts or not truths:
        return ""
    every, asked = sum(counts.values()), sum(truths.values())
    most = max(counts, key=lambda one: counts[one] / every - truths.get(one, 0) / asked)
    if most == UNREAD:
        return f"{counts[most]:,} of its {every:,} replies could not be read"
    return (
        f"{counts[most]:,} of its {every:,} answers are {most}, which is true of {truths.get(most, 0):,} of {asked:,}"
    )


def view(found: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """What the page draws of what was said: a bar for each stage, and the colours of the classes."""
    classes = sorted({name for counts in found.values() for name in counts} - {UNREAD})
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(classes)} | {UNREAD: "line"}
    bars = []
    for name, counts in found.items():
        whole = sum(counts.values())
        shares = [(one, counts[one] / whole) for one in (*classes, UNREAD) if counts.get(one)]
        note = ", ".join(f"{one} {percent(share)}" for one, share in shares)
        bars.append({"name": name, "pieces": [(share, colours[one]) for one, share in shares], "note": note})
    used = [one for one in (*classes, UNREAD) if any(counts.get(one) for counts in found.values())]
    return {"said": bars, "said_key": [(colours[one], one) for one in used]}


def by_topic(rows: Sequence[Measured], *, closed: bool) -> dict[str, dict[str, Estimate]]:
    """`baselines` of each topic by itself: a topic's own commonest truth may be another one."""
    return {topic: baselines(own, closed=closed) for topic, own in topics_of(rows).items()}


def over_guessing(rows: Sequence[Measured]) -> Gain:
    """What the answers gain over always giving the commonest one, on the same questions and seeds.

    Raises:
        ValueError: no rows.
    """
    common, _ = _commonest(Counter({row.question: row.truth for row in rows}.values()))
    right = grid(rows, [row.right for row in rows])
    return gain_over(f"always {common}", grid(rows, [row.truth == common for row in rows]), right)


def _commonest(truths: Counter[str]) -> tuple[str, int]:
    return max(truths.items(), key=lambda item: (item[1], item[0]), default=("", 0))


def _share(right: float, count: int) -> Estimate:
    low, high = wilson(right, count)
    return Estimate(value=right / count, low=low, high=high, n=count)
