"""Plots of how the night went: loss curves and the latency histogram; each with its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from nightschool.report.figures import LatencyTimes, LossPoint
from nightschool.report.plots import WIDTH
from nightschool.report.svg import THEME, Plot, canvas, inline, stage_colour, table
from nightschool.report.text import duration, plain
from nightschool.statistics import quantiles

# More points than pixels only make the page heavy.
_MOST_POINTS = 300
_MOST_ROWS = 40
# A limit this many times beyond the slowest answer would flatten the histogram: it is written, not drawn.
_FAR = 3


def loss(stage: str, log: Sequence[LossPoint], place: int) -> Plot | None:
    """One stage's training loss by step; None when nothing finite was logged."""
    points = [(point.step, point.loss) for point in log if point.loss is not None]
    if not points:
        return None
    steps, losses = zip(*_thinned(points, _MOST_POINTS), strict=True)
    colour = stage_colour(stage, place)
    with canvas(WIDTH, 200, left=40, right=50, top=12, bottom=28) as axes:
        axes.plot(steps, losses, color=colour, linewidth=2, solid_capstyle="round", solid_joinstyle="round")
        axes.plot(steps[-1], losses[-1], marker="o", color=colour, markersize=6, clip_on=False)
        axes.annotate(
            f"{losses[-1]:.3f}", (steps[-1], losses[-1]), (9, 0), textcoords="offset points", va="center", weight="bold"
        )
        axes.set_ylim(bottom=min(0, *losses) if min(losses) < 0.4 * max(losses) else None)
        axes.grid(axis="y", color=THEME["line"], linewidth=1)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        spoken = f"From {losses[0]:.3f} at step {steps[0]} to {losses[-1]:.3f} at step {steps[-1]}."
        svg = inline(axes, name=f"loss{place}", title=f"Training loss of {stage}", description=spoken)
    return Plot(f"Training loss, {stage}", svg, "By optimiser step.", *_log_table(log))


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
    rows = [("p50", duration(p50)), ("p95", duration(p95)), ("p99", duration(p99)), ("slowest", duration(slowest))]
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


def _thinned(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """Evenly chosen points, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[place] for place in np.linspace(0, len(points) - 1, most).round().astype(int)]


def _log_table(log: Sequence[LossPoint]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    places = _thinned([(place, 0.0) for place in range(len(log))], _MOST_ROWS)
    columns = ("loss", "learning_rate", "grad_norm", "reward_margin", "reward_accuracy")
    used = [name for name in columns if any(getattr(point, name) is not None for point in log)]
    rows = [
        (log[place].step, *("" if (value := getattr(log[place], name)) is None else f"{value:.4g}" for name in used))
        for place, _ in places
    ]
    return table(("step", *(plain(name) for name in used)), rows)
