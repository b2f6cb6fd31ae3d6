"""The plot of how often an ensemble and each of its voters is right, with its table."""

from __future__ import annotations

from nightschool.report.estimates import counted, guessed, size_of, spoken
from nightschool.report.plots import WIDTH, baselines_drawn, interval, share_axis
from nightschool.report.predicted import Ensemble
from nightschool.report.svg import THEME, Plot, canvas, inline, table
from nightschool.report.text import percent
from nightschool.report.topics import left_out

_MOST = 12
_LONGEST = 24


def voters(found: Ensemble) -> Plot | None:
    """The ensemble above its voters, beside what always the same answer reaches; None where no truth is known."""
    known = [(one.name, one.right) for one in found.voters if one.right]
    shown = known[: _MOST + 1]
    if not shown:
        return None
    names = [_broken(name) for name, _ in shown]
    # 6.6 pixels a letter, as measured of the widest names.
    left = max(42.0, 14 + 6.6 * max(len(line) for name in names for line in name.split("\n")))
    with canvas(WIDTH, 30 * len(shown) + 62, left=left, right=56, top=24, bottom=32) as axes:
        share_axis(axes, len(shown))
        baselines_drawn(axes, found.baselines)
        for place, (_, right) in enumerate(shown):
            ours = place == 0
            interval(axes, right, place, THEME["accent" if ours else "base"], "D" if ours else "o", small=not ours)
            axes.annotate(
                percent(right.value), (1, place), (10, 0), ("axes fraction", "data"), "offset points", va="center",
                weight="bold" if ours else "normal", size=12.5,
            )  # fmt: skip
        axes.set_yticks(range(len(shown)), names, color=THEME["ink"], size=11.5)
        axes.get_yticklabels()[0].set_fontweight("bold")
        words = ", ".join(f"{name} {counted(right)}" for name, right in shown)
        svg = inline(axes, name="ensemble", title="Right answers of the ensemble and its voters",
                     description=f"{words}.")  # fmt: skip
    of = left_out(len(known) - 1, _MOST).replace("largest", "best").replace("topics", "voters")
    told = [*known, *guessed(found.baselines)]
    rows = [(name, spoken(right), size_of(right)) for name, right in told]
    caption = f"Right answers to the {shown[0][1].n:,} problems whose answer is known, with 95% intervals.{of}"
    return Plot("Who is right", svg, caption, *table(("who", "right (95% interval)", "n"), rows))


def _broken(name: str) -> str:
    """A voter's long name on two lines, its model above its prompt; only what is too long for a line is cut."""
    lines = [name] if len(name) <= _LONGEST else name.replace("/", "/\n", 1).split("\n")
    return "\n".join(line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines)
