"""From a search's trials to one HTML page: what each came to, how the score went, what each field does to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from nightschool.gates import shown
from nightschool.report.page import framed
from nightschool.report.plots import WIDTH
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import duration, plain
from nightschool.report.trials import beside, chosen, scored
from nightschool.tune import Scored, Trial, Tuned

_FEW = 5  # values that stand side by side, as far apart as they are many
_ENDS = {"complete": ("o", "sft"), "pruned": ("v", "muted"), "failed": ("X", "bad"), "running": ("D", "accent")}


def render(found: Tuned) -> str:
    """The page of a search, whole or half-way; as self-contained as a night's."""
    top = next((trial for trial in found.trials if trial.number == found.best), None)
    placed = [trial for trial in found.trials if _height(trial) is not None]
    done = sum(trial.state != "running" for trial in found.trials)
    fields = list(found.trials[0].values) if found.trials else []
    return framed(
        "tuning.html.j2",
        found=found,
        top=top,
        done=done,
        score=scored(found.metric, top.score) if top else "",
        beside=beside(top.score) if top else "",
        chosen=chosen(found, top) if top else "",
        course=_course(found, placed) if placed else None,
        fields=[_field(found, placed, name, place) for place, name in enumerate(fields)] if len(placed) > 1 else [],
        rows=table(("trial", *fields, f"{found.stage or 'last stage'}: {plain(found.metric)}", "rungs", "time", ""),
                   [_row(found, trial, fields) for trial in found.trials]),
        command=" ".join(f"--set {one}" for one in found.sets),
    )  # fmt: skip


def _row(found: Tuned, trial: Trial, fields: Sequence[str]) -> list[object]:
    values = [_value(trial.values.get(name)) for name in fields]
    rungs = ", ".join(scored(found.metric, value) for value in trial.rungs)
    state = "best" if trial.number == found.best else trial.state if trial.state != "complete" else ""
    said = "; ".join(filter(None, [state, trial.why]))
    took = duration(trial.seconds) if trial.seconds else ""
    return [trial.number, *values, scored(found.metric, trial.score), rungs, took, said]


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _height(trial: Trial) -> float | None:
    """Where a trial is drawn: its score, or where it stood when it was pruned."""
    reached = _reached(trial)
    return reached.value if reached else None


def _reached(trial: Trial) -> Scored | None:
    return trial.score or (trial.rungs[-1] if trial.rungs else None)


def _course(found: Tuned, trials: Sequence[Trial]) -> Plot:
    """Scores in the order of the trials, with the best so far."""
    best_yet, line = None, []
    for trial in trials:
        if trial.state == "complete" and trial.score is not None:
            better = best_yet is None or (trial.score.value > best_yet) == found.upwards
            best_yet = trial.score.value if better else best_yet
        line.append(best_yet)
    with canvas(WIDTH, 220, left=48, right=16, top=12, bottom=42) as axes:
        numbers = [trial.number for trial in trials]
        if any(each is not None for each in line):
            known = [(number, each) for number, each in zip(numbers, line, strict=True) if each is not None]
            axes.step(*zip(*known, strict=True), where="post", color=THEME["accent"], linewidth=2)
        for trial in trials:
            _mark(axes, found, trial, trial.number)
        axes.set_xlabel("trial")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _score_axis(axes, found)
        spoken = "; ".join(f"trial {trial.number} {_told(found, trial)}" for trial in trials)
        svg = inline(axes, name="course", title="Score of each trial", description=f"{spoken}.")
    rows = [(trial.number, _told(found, trial)) for trial in trials]
    caption = "Scores with 95% intervals, the best so far as a line; a triangle was pruned where it stands."
    return Plot("Trials", svg, caption, *table(("trial", "score"), rows))


def _field(found: Tuned, trials: Sequence[Trial], name: str, place: int) -> Plot:
    """Scores by one field's value."""
    values = [trial.values.get(name) for trial in trials]
    numbers = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    few = len(numbers) < len(values) or len(set(numbers)) <= _FEW
    names = list(dict.fromkeys(_value(value) for value in sorted(values, key=_order)))
    at = [float(names.index(_value(value))) for value in values] if few else numbers
    with canvas(WIDTH, 200, left=48, right=16, top=12, bottom=42) as axes:
        for trial, x in zip(trials, at, strict=True):
            _mark(axes, found, trial, x)
        if few:
            axes.set_xticks(range(len(names)), names)
            axes.set_xlim(-0.5, len(names) - 0.5)
        elif min(at) > 0 and max(at) / min(at) >= 5:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(name)
        _score_axis(axes, found)
        by = _means(found, trials, name)
        spoken = "; ".join(f"{value}: {score} over {count}" for value, count, score in by)
        svg = inline(axes, name=f"field{place}", title=f"Score by {name}", description=f"{spoken}.")
    head = (name, "trials", "mean score (lowest to highest)")
    return Plot(name, svg, "Score by value, with 95% intervals.", *table(head, by))


def _order(value: object) -> tuple[bool, float, str]:
    """Numbers by size, then words."""
    return (False, float(value), "") if isinstance(value, int | float) else (True, 0.0, str(value))


def _means(found: Tuned, trials: Sequence[Trial], name: str) -> list[tuple[Any, ...]]:
    groups: dict[str, list[float]] = {}
    said = partial(shown, found.metric)
    for trial in trials:
        height = _height(trial)
        if height is not None:
            groups.setdefault(_value(trial.values.get(name)), []).append(height)
    return [
        (value, len(each), f"{said(mean(each))} ({said(min(each))} to {said(max(each))})")
        for value, each in groups.items()
    ]


def _mark(axes: Axes, found: Tuned, trial: Trial, x: float) -> None:
    marker, colour = _ENDS[trial.state]
    size = 11 if trial.number == found.best else 7
    colour = "accent" if trial.number == found.best else colour
    reached = _reached(trial)
    if reached and reached.low is not None and reached.high is not None:
        axes.plot([x, x], [reached.low, reached.high], color=THEME[colour], linewidth=2, alpha=0.4)
    axes.plot([x], [_height(trial) or 0.0], marker=marker, color=THEME[colour], markersize=size,
              markeredgecolor=THEME["card"], markeredgewidth=1, linestyle="none")  # fmt: skip


def _score_axis(axes: Axes, found: Tuned) -> None:
    axes.grid(axis="y", color=THEME["line"], linewidth=1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(found.metric, value)))


def _told(found: Tuned, trial: Trial) -> str:
    told = scored(found.metric, _reached(trial), "no score")
    return told if trial.state == "complete" else f"{told}, {trial.state}"
