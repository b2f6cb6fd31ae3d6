"""Plot of ablations: how far the accuracy of a stage moves with each thing that is shown for its draft."""

from __future__ import annotations

import textwrap

from matplotlib.ticker import FuncFormatter, MaxNLocator

from nightschool.recipe.ablate import SHOWN
from nightschool.report.ablated import AS_IS, Ablation
from nightschool.report.ablations import ablation_table
from nightschool.report.plots import WIDTH
from nightschool.report.proof import Gain
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import points

# Half of the axis at least, in points of accuracy: an effect of nothing is not drawn as large as one.
_LEAST = 0.05
# Of a name on the left; what is longer takes two lines.
_LETTERS = 18


def changes(found: Ablation) -> Plot:
    """Changes of accuracy with their intervals around nought, the stage with its draft."""
    shown = [(SHOWN[one.variant], one.change) for one in found.shown if one.change]
    reach = max([_LEAST, *(1.1 * max(-change.low, change.high) for _, change in shown)])
    names = [textwrap.fill(name, _LETTERS) for name, _ in shown]
    with canvas(WIDTH, 40 * max(1, len(shown)) + 46, left=138, right=58, top=8, bottom=38) as axes:
        axes.set_xlim(-reach, reach)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.grid(axis="x", color=THEME["line"], linewidth=1)
        axes.spines["bottom"].set_visible(False)
        axes.axvline(0, color=THEME["muted"], linewidth=1.5)
        for place, (_, change) in enumerate(shown):
            colour = THEME[_colour(change)]
            axes.plot([change.low, change.high], [place, place], color=colour, linewidth=5, alpha=0.45,
                      solid_capstyle="round")  # fmt: skip
            axes.plot([change.value], [place], marker="o", color=colour, markersize=9, markeredgecolor=THEME["card"])
            axes.annotate(points(change.value), (1, place), xycoords=("axes fraction", "data"), xytext=(10, 0),
                          textcoords="offset points", va="center", weight="bold", size=12.5)  # fmt: skip
        axes.set_yticks(range(len(shown)), names, color=THEME["ink"], size=12)
        axes.set_xlabel("points of accuracy", size=11)
        spoken = ", ".join(f"{name} {points(change.value)} points" for name, change in shown)
        title = f"{found.stage} with other drafts"
        svg = inline(axes, name=f"changes-{found.stage}", title=title, description=f"{spoken}.")
    answers = f"{found.as_is.n:,} answers to the same held-out questions"
    caption = f"Change of accuracy against {AS_IS}, with 95% intervals; {answers}."
    return Plot(found.stage, svg, caption, *table(*ablation_table(found)))


def _colour(change: Gain) -> str:
    if not change.significant:
        return "muted"
    return "good" if change.value > 0 else "bad"


def _tick(value: float) -> str:
    return points(value).removesuffix(".0") if value else "0"
