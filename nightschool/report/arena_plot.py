"""The plot of who wins in the arena, with its table."""

from __future__ import annotations

from nightschool.report.arena import Arena, drawn_table
from nightschool.report.plots import WIDTH, interval, legend, share_axis
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import percent


def players(found: Arena) -> Plot | None:
    """Each player's chance to win a match, beside the share of answers that its questions stump; with intervals."""
    shown = [one for one in found.players if one.wins]
    if not shown:
        return None
    names = [one.name if len(one.name) <= 14 else f"{one.name[:13]}…" for one in shown]
    left = max(42.0, 14 + 7.5 * max(map(len, names)))
    with canvas(WIDTH, 52 * len(shown) + 62, left=left, right=56, top=30, bottom=32) as axes:
        share_axis(axes, len(shown))
        axes.axvline(0.5, color=THEME["muted"], linewidth=1, linestyle=(0, (2, 3)))
        for place, one in enumerate(shown):
            for figure, colour, marker, shift in (
                (one.wins, "accent", "D", -0.12),
                (one.stumps, "base", "o", 0.16),
            ):
                if figure:
                    interval(axes, figure, place + shift, THEME[colour], marker, small=True)
            if one.wins:
                axes.annotate(
                    percent(one.wins.value), (1, place - 0.12), (10, 0), ("axes fraction", "data"), "offset points",
                    va="center", weight="bold", size=12.5,
                )  # fmt: skip
        for label, colour, marker in (("wins a match", "accent", "D"), ("stumps", "base", "o")):
            axes.plot([], [], marker=marker, color=THEME[colour], linestyle="none", markersize=6, label=label)
        axes.set_yticks(range(len(shown)), names, color=THEME["ink"], size=12)
        legend(axes, 2)
        head, rows = drawn_table(found)
        spoken = "; ".join(f"{row[0]} wins {row[1]}" for row in rows)
        svg = inline(axes, name="arena", title="Chance to win a match, by player", description=f"{spoken}.")
    caption = (
        f"Chance to win a match of {found.questions} questions a side against an opponent drawn by chance, and share "
        "of answers to its questions that are its point; 95% intervals."
    )
    return Plot("Players", svg, caption, *table(head, rows))
