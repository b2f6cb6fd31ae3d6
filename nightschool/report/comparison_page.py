"""From what differs between two nights to one HTML page, as self-contained as a night's."""

from __future__ import annotations

from nightschool.report import comparison_text as text
from nightschool.report.comparison import Comparison
from nightschool.report.estimates import counted, gained
from nightschool.report.page import framed
from nightschool.report.plots import WIDTH, interval, legend, share_axis
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import plain, points

_FEW = 6


def render(found: Comparison) -> str:
    """The whole page; parts that the nights have nothing to say about are left out."""
    recipe = text.recipe_table(found)
    decisive = [row for row, one in zip(recipe[1], found.recipe, strict=True) if one.decides]
    return framed(
        "comparison.html.j2",
        found=found,
        headline=text.headline(found),
        lede=text.lede(found),
        stages=_stages(found) if found.stages else None,
        decisive=decisive[:_FEW],
        more=max(0, len(decisive) - _FEW),
        turned=[(gate.name, gate.turned > 0) for gate in found.gates if gate.turned],
        alone=text.alone(found),
        texts=text.texts(found),
        tables={
            "recipe": recipe,
            "around": text.around_table(found),
            "funnel": text.funnel_table(found),
            "stages": text.stage_table(found),
            "gates": text.gates_table(found),
            "times": text.times_table(found),
            "counts": text.counts_table(found),
        },
    )


def _stages(found: Comparison) -> Plot:
    """Accuracy of every stage in both nights, and the difference beside it."""
    lines = found.stages
    with canvas(WIDTH, 62 * len(lines) + 66, left=92, right=104, top=34, bottom=32) as axes:
        share_axis(axes, len(lines))
        for place, one in enumerate(lines):
            interval(axes, one.right.before, place - 0.16, THEME["base"], "o")
            interval(axes, one.right.after, place + 0.16, THEME["accent"], "D")
            gain = one.right.gain
            axes.text(1.04, place - 0.08, points(gain.value), va="center", weight="bold", size=13)
            sure = f"{points(gain.low)} to {points(gain.high)}"
            axes.text(1.04, place + 0.22, sure, va="center", color=THEME["muted"], size=10.5)
        for side, colour, marker in ((found.first, "base", "o"), (found.second, "accent", "D")):
            name = side.night if len(side.night) <= 20 else f"{side.night[:19]}…"
            axes.plot([], [], marker=marker, color=THEME[colour], linestyle="none", markersize=6, label=name)
        names = [one.name if len(one.name) <= 12 else f"{one.name[:11]}…" for one in lines]
        axes.set_yticks(range(len(lines)), names, color=THEME["ink"], size=13)
        legend(axes, 2)
        spoken = "; ".join(f"{one.name} {counted(one.right.before)} and {counted(one.right.after)}" for one in lines)
        svg = inline(axes, name="nights", title="Accuracy by stage in both nights", description=f"{spoken}.")
    rows = [(one.name, counted(one.right.before), counted(one.right.after), gained(one.right.gain)) for one in lines]
    head = ("stage", plain(found.first.night), plain(found.second.night), "points")
    return Plot("Accuracy", svg, "Held-out accuracy with 95% intervals, and the difference in points.",
                *table(head, rows))  # fmt: skip
