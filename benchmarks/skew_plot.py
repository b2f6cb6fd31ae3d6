"""The skew experiment as a plot that stands alone, light and dark."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

import nightschool.report
from benchmarks.skew_figures import ALWAYS_NO, Found
from nightschool.report.svg import THEME, canvas, inline
from nightschool.report.text import percent
from nightschool.statistics import clustered_share

_COLOURS = {"baseline": "base", "leaked": "bad", "handed": "dpo", "cot": "good"}
_ROW = 34


def drawn(found: Mapping[str, Found]) -> str:
    """Accuracy of every stage, a dot for each seed, beside what always no reaches and how often it says yes."""
    height = _ROW * len(found) + 86
    with canvas(760, height, left=250, right=104, top=50, bottom=36) as axes:
        axes.set_xlim(0, 1)
        axes.set_ylim(len(found) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(axis="x", color=THEME["line"], linewidth=1)
        axes.spines["bottom"].set_visible(False)
        axes.axvline(ALWAYS_NO, color=THEME["muted"], linewidth=1.2, linestyle=(0, (2, 3)))
        axes.text(ALWAYS_NO, -0.75, f"always no {percent(ALWAYS_NO)}", ha="center", color=THEME["muted"], size=12)
        axes.text(1.03, -0.75, "says yes", color=THEME["muted"], size=12)
        for place, one in enumerate(found.values()):
            _row(axes, place, one)
        axes.set_yticks(range(len(found)), [one.what for one in found.values()], color=THEME["ink"], size=12.5)
        spoken = "; ".join(f"{one.what}: {percent(statistics.median(one.by_seed))}" for one in found.values())
        title = "Accuracy of the tiny student after each stage of the skew experiment"
        svg = inline(axes, name="skew", title=title, description=f"{spoken}.")
    return _alone(svg)


def _row(axes: Axes, place: int, one: Found) -> None:
    colour, middle = THEME[_COLOURS[one.name.split("-")[0]]], statistics.median(one.by_seed)
    _, low, high = clustered_share(one.right_Q_S)
    axes.plot([low, high], [place, place], color=colour, linewidth=6, alpha=0.35, solid_capstyle="round")
    axes.plot(one.by_seed, [place] * len(one.by_seed), "o", color=colour, markersize=4, alpha=0.6)
    axes.plot([middle], [place], "D", color=colour, markersize=8, markeredgecolor=THEME["paper"])
    left = middle > ALWAYS_NO + 0.3
    at, align, shift = (min(low, *one.by_seed), "right", -10) if left else (max(high, *one.by_seed), "left", 10)
    axes.annotate(
        percent(middle), (at, place), (shift, 0), "data", "offset points", ha=align, va="center", weight="bold",
        bbox={"facecolor": THEME["paper"], "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
    axes.text(1.03, place, percent(one.says["yes"], 0), va="center", size=12)


def _alone(svg: str) -> str:
    """With the report's colours for both schemes inside, as a file that a page shows as a picture."""
    css = (Path(nightschool.report.__file__).parent / "style.css").read_text()
    light, dark = re.findall(r"^ *:root \{(.*?)^ *\}", css, re.DOTALL | re.MULTILINE)[:2]
    style = (
        f"<style>:root {{{light}}} @media (prefers-color-scheme: dark) {{ :root {{{dark}}} }} "
        "text { font-family: system-ui, sans-serif } svg { background: var(--paper) }</style>"
    )
    opening, rest = svg.split(">", 1)
    return f"{opening}>{style}{rest}\n"
