"""A plot of a contest's times: what each request took in each company, beside the limit."""

from __future__ import annotations

from nightschool.report.plots import WIDTH
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import duration
from nightschool.report.times import Times, WayTimes

_ROW = 44
# A limit so many times beyond the slowest would press all else against the left: it is written, not drawn.
_FAR = 4


def times(found: Times, place: int) -> Plot | None:
    """Median, p95, p99 and slowest of each company; None where no contest sets a limit."""
    ways = [way for way in found.ways if way.e2el]
    held = found.held
    if held is None or not ways:
        return None
    slowest = max(way.e2el.max for way in ways if way.e2el)
    near = held.each_limit_s <= _FAR * slowest
    end = 1.08 * (max(slowest, held.each_limit_s) if near else slowest)
    with canvas(WIDTH, _ROW * len(ways) + 76, left=14, right=20, top=32, bottom=44) as axes:
        axes.set_xlim(0, end)
        axes.set_ylim(len(ways) - 0.35, -0.75)
        axes.set_yticks([])
        axes.set_xlabel("seconds to the last token")
        axes.grid(axis="x", color=THEME["line"], linewidth=1)
        for row, way in enumerate(ways):
            assert way.e2el is not None
            late = way.e2el.max >= held.each_limit_s
            axes.plot([way.e2el.p50, way.e2el.max], [row, row], color=THEME["line"], linewidth=6)
            axes.plot([way.e2el.p50, way.e2el.p95], [row, row], color=THEME["sft"], linewidth=6)
            axes.plot(way.e2el.p50, row, marker="o", color=THEME["sft"], markersize=9)
            axes.plot(way.e2el.p99, row, marker="|", color=THEME["ink"], markersize=13, markeredgewidth=2)
            axes.plot(way.e2el.max, row, marker="D", color=THEME["bad" if late else "ink"], markersize=5)
            axes.annotate(_label(way), (0, row - 0.34), (4, 0), textcoords="offset points", va="center", size=11)
        over = axes.get_xaxis_transform()
        if near:
            axes.axvline(held.each_limit_s, color=THEME["bad"], linewidth=1.5)
            axes.annotate(f"limit {held.each_limit_s:g} s", (held.each_limit_s, 1.06), (0, 0), over, "offset points",
                          ha="right", color=THEME["bad"], size=11)  # fmt: skip
        else:
            beyond = f"limit {held.each_limit_s:g} s, far right of this \N{RIGHTWARDS ARROW}"
            axes.text(1, 1.06, beyond, ha="right", color=THEME["bad"], size=11, transform=axes.transAxes)
        title = f"Seconds for {found.of} of {found.stage}"
        svg = inline(axes, name=f"times{place}", title=title, description=" ".join(map(_spoken, ways)))
    caption = "Dot: median; bar to p95; line: p99; diamond: the slowest; behind each name how many were timed."
    rows = [(way.name, *(duration(value) for value in _values(way)), f"{way.n:,}") for way in ways]
    return Plot(title, svg, caption, *table(("", "median", "p95", "p99", "slowest", "n"), rows))


def _values(way: WayTimes) -> tuple[float, ...]:
    found = way.e2el
    return (found.p50, found.p95, found.p99, found.max) if found else ()


def _label(way: WayTimes) -> str:
    return f"{way.name}, {way.n:,}"


def _spoken(way: WayTimes) -> str:
    p50, p95, p99, slowest = map(duration, _values(way))
    return f"{way.name}: median {p50}, p95 {p95}, p99 {p99}, slowest {slowest}."
