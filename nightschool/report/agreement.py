"""The plot of what a committee's votes decide, by how many of them must agree; with its table."""

from __future__ import annotations

from nightschool.report.estimates import counted
from nightschool.report.plots import WIDTH, legend
from nightschool.report.proof import AgreementLevel, Votes
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import percent
from nightschool.report.votes import interval


def curve(found: Votes) -> Plot | None:
    """Coverage and right share by the agreement that is asked for; None where the truth is known of nothing."""
    levels = [level for level in found.levels if level.right]
    if len(levels) < 2:
        return None
    asked = [level.least for level in levels]
    with canvas(WIDTH, 210, left=44, right=16, top=30, bottom=42) as axes:
        for name, colour, marker, shares in (
            ("right of these", "accent", "D", [level.right.value for level in levels if level.right]),
            ("decided", "base", "o", [level.coverage for level in levels]),
        ):
            axes.plot(asked, shares, color=THEME[colour], marker=marker, markersize=6, linewidth=2, label=name)
        lows = [level.right.low for level in levels if level.right]
        highs = [level.right.high for level in levels if level.right]
        axes.fill_between(asked, lows, highs, color=THEME["accent"], alpha=0.15, linewidth=0)
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xticks(asked, [f"{least:.0%}" for least in asked])
        axes.set_xlabel("votes that must agree, at least")
        axes.grid(axis="y", color=THEME["line"], linewidth=1)
        legend(axes, 2)
        spoken = "; ".join(f"from {one.least:.0%}: {_level(one)}" for one in levels)
        svg = inline(axes, name="agreement", title="What the votes decide, by agreement", description=f"{spoken}.")
    rows = [
        (f"{one.least:.0%}", percent(one.coverage), percent(one.right.value), interval(one.right), f"{one.right.n:,}")
        for one in levels
        if one.right
    ]
    head = ("agreement, at least", "decided", "right", "95% interval", "truth known")
    caption = "Of all questions those that the votes decide, and how many of these are right, with 95% intervals."
    return Plot("By how many agree", svg, caption, *table(head, rows))


def _level(one: AgreementLevel) -> str:
    return f"{percent(one.coverage)} decided, {counted(one.right, 'none known')} right"
