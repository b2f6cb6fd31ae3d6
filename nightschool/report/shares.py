"""From class counts along a night to what each step did to the shares: tested, told in words, drawn as bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nightschool.report.proof import Figure
from nightschool.report.text import clean, percent, plain, points, probability
from nightschool.skew import skew

# A skew that could well be chance is no warning.
_SURE = 0.05
_COLOURS = ("accent", "sft", "dpo", "third", "fourth", "good", "base")
_OTHERS = "others"


class Step(NamedTuple):
    """Rows, or their weight, by class before and after a step."""

    name: str
    before: Mapping[str, float]
    after: Mapping[str, float]


class ShareStep(Figure):
    """What a step left by class, and how far it moved the shares, see `nightschool.skew.Skew`."""

    step: str
    counts: dict[str, float]
    w: float | None = None
    v: float | None = None
    p: float | None = None
    moved: str = ""
    shift: float = 0.0
    skewed: bool = False

    @property
    def shares(self) -> dict[str, float]:
        """By class, 1 in all."""
        total = math.fsum(self.counts.values()) or 1.0
        return {name: count / total for name, count in self.counts.items()}


class Shares(Figure):
    """One field's classes from the questions that were asked to the rows that are taught.

    `chain`: all steps before the balance together. `apart`: Cohen's w of what is taught against what is wanted.
    `warning`: in words, where a step skewed the shares past the recipe's limit; `mended`: and the balance made it good.
    """

    field: str
    steps: tuple[ShareStep, ...]
    chain: ShareStep
    wanted: dict[str, float]
    apart: float
    mended: bool
    warning: str = ""

    @property
    def least(self) -> float:
        """The share of the rarest class among the rows that are taught; 0 for one that was asked for and is gone."""
        return min(self.steps[-1].shares.get(name, 0.0) for name in self.steps[0].counts)

    @property
    def worst(self) -> float:
        """The largest effect of a step, or of all before the balance together."""
        return max((one.w or 0.0 for one in (*self.steps, self.chain) if one.step != "balance"), default=0.0)


def measure_shares(
    field: str, steps: Sequence[Step], *, wanted: Mapping[str, float] | None, most_skew: float
) -> Shares | None:
    """None where the rows have but one class, or nothing is left of them.

    Args:
        steps: in order; the first one's `before` is what was asked, a last one named "balance" mends.
        wanted: shares that the balance is to give; None: those of the questions that were asked.
        most_skew: Cohen's w past which a step is warned about.
    """
    asked = steps[0].before if steps else {}
    if len(asked) < 2 or not math.fsum(steps[-1].after.values()):
        return None
    filtered = [step for step in steps if step.name != "balance"]
    found = [ShareStep(step="asked", counts=dict(asked)), *(_tested(step, most_skew) for step in steps)]
    chain = _tested(Step("all steps", asked, filtered[-1].after), most_skew) if filtered else found[0]
    aim = dict(wanted) if wanted is not None else found[0].shares
    apart = _apart(aim, found[-1].shares)
    shares = Shares(
        field=field, steps=tuple(found), chain=chain, wanted=aim, apart=apart, mended=apart <= most_skew
    )  # fmt: skip
    return shares.model_copy(update={"warning": _warning(shares)})


def _apart(aim: Mapping[str, float], found: Mapping[str, float]) -> float:
    """Cohen's w of shares against those wanted; a class that was not wanted counts as if one in a hundred were."""
    names = aim.keys() | found.keys()
    return math.sqrt(
        math.fsum((found.get(name, 0.0) - aim.get(name, 0.0)) ** 2 / max(aim.get(name, 0.0), 0.01) for name in names)
    )


def _tested(step: Step, most_skew: float) -> ShareStep:
    found = skew(step.before, step.after)
    if found is None:
        return ShareStep(step=step.name, counts=dict(step.after))
    sure = found.p is None or found.p < _SURE
    return ShareStep(
        step=step.name,
        counts=dict(step.after),
        w=found.w,
        v=found.v,
        p=found.p,
        moved=found.moved,
        shift=found.shift,
        skewed=step.name != "balance" and found.w > most_skew and sure,
    )


def _warning(shares: Shares) -> str:
    """ "The step committee moved answer yes from 45.5% of 1,800 to 28.5% of 1,509 rows (Cohen's w 0.34, p < 0.001);
    ...", or nothing."""
    skewed = [one for one in shares.steps if one.skewed] or ([shares.chain] if shares.chain.skewed else [])
    if not skewed:
        return ""
    worst = max(skewed, key=lambda one: one.w or 0.0)
    place = next((at for at, one in enumerate(shares.steps) if one is worst), None)
    step = shares.steps[place - 1 if place else 0]
    before = step.shares
    low = min(before, key=lambda name: worst.shares.get(name, 0.0) - before[name])
    chance = "" if worst.p is None else f", p {probability(worst.p)}"
    who = "All filters together" if worst.step == "all steps" else f"The step {plain(worst.step)}"
    told = (
        f"{who} moved {plain(shares.field)} {_called(low)} from {_of_all(step, low)} to {_of_all(worst, low)} rows "
        f"(Cohen's w {worst.w:.2f}{chance})"
    )
    last = _of_all(shares.steps[-1], low)
    return f"{told}; the balance mended it: {last}" if shares.mended else f"{told}; it is not mended: {last} is taught"


def _of_all(step: ShareStep, name: str) -> str:
    """ "45.5% of 1,800": rows are counted whole, so their share has no interval."""
    return f"{percent(step.shares.get(name, 0.0))} of {math.fsum(step.counts.values()):,.0f}"


def _called(name: str) -> str:
    """A class as a person reads it; an answer may be of any length."""
    shown = plain(clean(name[:60]))
    return shown if len(shown) <= 24 else f"{shown[:23]}…"


def view(found: Sequence[Shares]) -> dict[str, Any]:
    """What the page draws: per field its key and bars, and a table of the tests."""
    return {"shares": [_drawn(one) for one in found]}


def _drawn(found: Shares) -> dict[str, Any]:
    first = found.steps[0].counts
    names = sorted(first, key=lambda name: (-first[name], name))
    named = sorted(names[: len(_COLOURS)])
    colours = dict(zip(named, _COLOURS, strict=False))
    bars = []
    for step in found.steps:
        pieces = [(share, colours[name]) for name in named if (share := step.shares.get(name, 0.0))]
        rest = 1 - math.fsum(share for share, _ in pieces)
        numbers = ", ".join(f"{_called(name)} {percent(step.shares.get(name, 0.0))}" for name in named)
        bars.append({"name": plain(step.step), "pieces": [*pieces, *([(rest, "line")] if rest > 1e-6 else [])],
                     "note": numbers, "rows": math.fsum(step.counts.values()), "skewed": step.skewed})  # fmt: skip
    key = [(colours[name], _called(name)) for name in named] + ([("line", _OTHERS)] if len(names) > len(named) else [])
    return {"title": f"Shares of {plain(found.field)}", "key": key, "bars": bars, "warning": found.warning,
            "mended": found.mended, "tests": _tests(found)}  # fmt: skip


def _tests(found: Shares) -> tuple[tuple[str, ...], list[list[str]]]:
    steps = [one for one in (*found.steps[1:], found.chain) if one.w is not None]
    rows = [
        [plain(one.step), f"{_called(one.moved)} {points(one.shift)}", f"{one.w:.2f}", _v(one), probability(one.p)]
        for one in steps
    ]
    return ("step", "moved most, in points", "Cohen's w", "Cramer's V", "p (chi-square)"), rows


def _v(step: ShareStep) -> str:
    return "" if step.v is None else f"{step.v:.2f}"
