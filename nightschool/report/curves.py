"""Plots of how the night went: loss curves and the latency histogram; each with its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nightschool.report.estimates import taking
from nightschool.report.evaluated import Evaluated
from nightschool.report.figures import LatencyTimes, LossPoint
from nightschool.report.grid import SEED
from nightschool.report.lessons import Turn
from nightschool.report.plots import WIDTH
from nightschool.report.svg import THEME, Plot, canvas, inline, stage_colour, table
from nightschool.report.text import duration, plain
from nightschool.resampling import bootstrap_mean
from nightschool.statistics import quantiles

# More points than pixels only make the page heavy.
_MOST_POINTS = 300
_MOST_ROWS = 40
_MOST_EPOCHS = 12
# Three of them fit side by side on a desk's screen.
NARROW = 330
# A limit this many times beyond the slowest answer would flatten the histogram: it is written, not drawn.
_FAR = 3


def loss(
    stage: str, log: Sequence[LossPoint], place: int, turns: Sequence[Turn] = (), held: Evaluated | None = None
) -> Plot | None:
    """One stage's training loss by step, with its epochs, where its schedule turns, and held-back rows; None without a
    finite loss."""
    points = [(point.step, point.loss) for point in log if point.loss is not None]
    if not points:
        return None
    smooth = _smoothed(points)
    colour, last = stage_colour(stage, place), smooth[-1]
    looks = [(look.step, look.loss) for look in (held.looks if held else ()) if look.loss is not None]
    with canvas(NARROW, 210, left=36, right=44, top=38 if turns else 12, bottom=28) as axes:
        if len(smooth) > 1:
            axes.plot(*zip(*_thinned(points, _MOST_POINTS), strict=True), color=colour, linewidth=1, alpha=0.3)
        axes.plot(*zip(*_thinned(smooth, _MOST_POINTS), strict=True), color=colour, linewidth=2)
        axes.plot(*last, marker="o", color=colour, markersize=6, clip_on=False)
        if held and looks:
            _looks(axes, looks, held)
        else:
            axes.annotate(f"{last[1]:.3f}", last, (9, 0), textcoords="offset points", va="center", weight="bold")
        lowest, highest = min(value for _, value in (*points, *looks)), max(value for _, value in (*points, *looks))
        axes.set_ylim(bottom=min(0, lowest) if lowest < 0.4 * highest else None)
        axes.grid(axis="y", color=THEME["line"], linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        epochs = _epochs(axes, log, turns)
        spoken = f"From {points[0][1]:.3f} at step {points[0][0]} to {points[-1][1]:.3f} at step {points[-1][0]}."
        spoken += "".join(f" From epoch {turn.epoch + 1}: {turn.told}." for turn in turns)
        spoken += f" Held-back rows: {held.told}." if held else ""
        svg = inline(axes, name=f"loss{place}", title=f"Training loss of {stage}", description=spoken)
    caption = f"By optimiser step{f', {epochs:g} epochs' if epochs > 1 else ''}; thick: mean of the steps around."
    caption += f" Dots: the loss of held-back rows; {held.told}." if held else ""
    return Plot(f"Training loss, {stage}", svg, caption, *_log_table(log, held))


def _looks(axes: Axes, looks: Sequence[tuple[int, float]], held: Evaluated) -> None:
    """What held-back rows came to, the last value beside it, and the step whose weights were kept."""
    axes.plot(*zip(*looks, strict=True), color=THEME["ink"], linewidth=1.5, marker="o", markersize=4, clip_on=False)
    axes.annotate(f"{looks[-1][1]:.3f}", looks[-1], (9, 0), textcoords="offset points", va="center", weight="bold")
    axes.axvline(held.chosen, color=THEME["good"], linewidth=1.5)
    # A loss falls: there is room above its end, and below its beginning.
    late = held.chosen > held.last / 2
    axes.annotate(
        f"step {held.chosen:,} kept", (held.chosen, late), (-4 if late else 4, -8 if late else 8),
        axes.get_xaxis_transform(), "offset points", ha="right" if late else "left", va="center", color=THEME["good"],
        size=11,
    )  # fmt: skip


def _epochs(axes: Axes, log: Sequence[LossPoint], turns: Sequence[Turn]) -> float:
    """A faint line between epochs, and one with its words where the schedule turns; how many epochs there are."""
    last = log[-1]
    if not last.epoch:
        return 0.0
    steps, whole = last.step / last.epoch, round(last.epoch)
    for epoch in range(1, whole if whole <= _MOST_EPOCHS else 0):
        axes.axvline(epoch * steps, color=THEME["line"], linewidth=1)
    over, grey = axes.get_xaxis_transform(), THEME["muted"]
    for number, turn in enumerate(turns):
        at, height = turn.epoch * steps, 1.05 + 0.11 * (number % 2 == 0)
        axes.plot([at, at], [0, height + 0.03], color=grey, linewidth=1, transform=over, clip_on=False)
        axes.annotate(turn.told, (at, height), (4, 0), over, "offset points", va="center", color=grey, size=11)
    return last.epoch


def latency(times: LatencyTimes) -> Plot | None:
    """Seconds per answer with p50, p99 and the limit; None when nothing was timed."""
    if not times.seconds:
        return None
    slowest, limit = max(times.seconds), times.limit_s
    near = limit is not None and limit <= _FAR * slowest
    end = 1.06 * (max(slowest, limit) if limit is not None and near else slowest) or 1.0
    p50, p95, p99 = quantiles(times.seconds)
    with canvas(WIDTH, 210, left=30, right=20, top=40, bottom=42) as axes:
        axes.hist(times.seconds, bins=np.linspace(0, end, 37).tolist(), color=THEME["sft"], rwidth=0.86)
        axes.set_xlim(0, end)
        axes.set_xlabel("seconds per answer")
        axes.grid(axis="y", color=THEME["line"], linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        _mark(axes, f"p50 {duration(p50)}", p50, 1.03, "ink")
        _mark(axes, f"p99 {duration(p99)}", p99, 1.12, "ink")
        if limit is not None and near:
            _mark(axes, f"limit {limit:g} s", limit, 1.03, "bad")
        elif limit is not None:
            beyond = f"limit {limit:g} s, far right of this \N{RIGHTWARDS ARROW}"
            axes.text(1, 1.22, beyond, ha="right", color=THEME["bad"], size=10.5, transform=axes.transAxes)
        spoken = f"{len(times.seconds)} answers: p50 {duration(p50)}, p95 {duration(p95)}, p99 {duration(p99)}."
        svg = inline(axes, name="latency", title="Seconds per answer", description=spoken)
    above = sum(seconds > limit for seconds in times.seconds) if limit is not None else 0
    caption = f"{len(times.seconds):,} answers one after the other{f', stage {times.stage}' if times.stage else ''}"
    caption += f"; {above:,} above the limit of {limit:g} s." if limit is not None else "; no gate sets a limit."
    mean, low, high = bootstrap_mean(times.seconds, seed=SEED)
    rows = [("mean (95% interval)", taking(mean, low, high)), ("answers", f"{len(times.seconds):,}")]
    rows += [("p50", duration(p50)), ("p95", duration(p95)), ("p99", duration(p99)), ("slowest", duration(slowest))]
    return Plot("Seconds per answer", svg, caption, *table(("", "seconds per answer"), rows))


def _mark(axes: Axes, text: str, at: float, height: float, colour: str) -> None:
    """A line at a time, its name above the plot; names at two heights don't run into each other."""
    over = axes.get_xaxis_transform()
    axes.plot([at, at], [0, height - 0.01], color=THEME[colour], linewidth=1.5, transform=over, clip_on=False)
    share = at / axes.get_xlim()[1]
    side = "right" if share > 0.8 or (text.startswith("p50") and share > 0.25) else "left"
    shift = -4 if side == "right" else 4
    axes.annotate(
        text, (at, height), (shift, 0), over, "offset points", ha=side, va="center", color=THEME[colour], size=11
    )


def _smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The mean of each point and its neighbours, an eighth of the curve in all; at the ends of those that there are."""
    reach = len(points) // 16
    values = [value for _, value in points]
    return [
        (step, float(np.mean(values[max(0, place - reach) : place + reach + 1])))
        for place, (step, _) in enumerate(points)
    ]


def _thinned(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """Evenly chosen points, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[place] for place in np.linspace(0, len(points) - 1, most).round().astype(int)]


def _log_table(log: Sequence[LossPoint], held: Evaluated | None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    places = _thinned([(place, 0.0) for place in range(len(log))], _MOST_ROWS)
    columns = ("loss", "learning_rate", "grad_norm", "reward_margin", "reward_accuracy")
    used = [name for name in columns if any(getattr(point, name) is not None for point in log)]
    looks = {look.step: look for look in (held.looks if held else ())}
    shown = {log[place].step for place, _ in places} | looks.keys()
    measured = ["loss", *([held.metric] if held.metric != "loss" else [])] if held else []
    rows = [
        (point.step, *(_short(getattr(point, name)) for name in used),
         *(_short(getattr(looks.get(point.step), name, None)) for name in measured))
        for point in log
        if point.step in shown
    ]  # fmt: skip
    return table(("step", *map(plain, used), *(f"{plain(name)}, held back" for name in measured)), rows)


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
