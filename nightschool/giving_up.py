"""From what is ahead and the time that is left to what a night gives up, and when it must say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from nightschool.estimate import Outlook
from nightschool.recipe.window import Fallback, Window, clashing
from nightschool.report.text import duration
from nightschool.window import Opening, clock, hours, opening

Chosen = tuple[Fallback, ...]
# "fits": the whole night with what is given up; "proves": the student is validated, the rest goes on another evening.
Word = Literal["fits", "proves", "overruns"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a night. `gives_up` has what it fits with, `now` those of it that can't wait."""

    word: Word
    outlook: Outlook
    whole: Outlook
    gives_up: Chosen = ()
    now: Chosen = ()


def decide(
    left_s: float,
    outlook: Callable[[Chosen], Outlook | None],
    fallbacks: Sequence[Fallback],
    *,
    margin: float,
    last_call: Callable[[Fallback], bool],
) -> Decision:
    """Give up as little as ends in time: fewest things first, and among as many those that the recipe names first.

    What can be given up later is: by then more has been measured. Where nothing fits, nothing is given up in vain.

    Args:
        left_s: until the night has to stop.
        outlook: the night with some fallbacks; None where they leave none.
        fallbacks: those that can still be chosen, in the recipe's order.
        margin: by what share an estimate may fall short.
        last_call: whether it can't be chosen any more once the coming phase has begun.

    Source: plan 000, "Alternative Paths (If Time-Constrained)".
    """
    whole = outlook(())
    assert whole is not None
    found: list[tuple[Chosen, Outlook]] = [((), whole)]
    for chosen in options(fallbacks):
        if found[-1][1].seconds * (1 + margin) <= left_s:
            break
        if ahead := outlook(chosen):
            found.append((chosen, ahead))
    words: tuple[Word, ...] = ("fits", "proves")
    for word in words:
        for chosen, ahead in found:
            needed = ahead.seconds if word == "fits" else ahead.proven_s
            if needed * (1 + margin) <= left_s:
                return Decision(word, ahead, whole, chosen, tuple(one for one in chosen if last_call(one)))
    return Decision("overruns", whole, whole)


def options(fallbacks: Sequence[Fallback]) -> Iterator[Chosen]:
    """Every choice of fallbacks that go together, those that give up fewest things first."""
    for count in range(1, len(fallbacks) + 1):
        for chosen in combinations(fallbacks, count):
            if not any(clashing(one, other) for one, other in combinations(chosen, 2)):
                yield chosen


def told(found: Decision, window: Window, one: Opening, left_s: float) -> list[str]:
    """How a night stands to its window, for people: what it has, what it needs and by what that is known, what follows.

    Args:
        left_s: as for `decide`.
    """
    room = f"{duration(round(left_s))} left" if left_s > 0 else "shut now"
    lines = [f"window {hours(window)}: closes {clock(window, one.ends)}, {room}"]
    lines.append(
        f"the night needs about {duration(round(found.whole.seconds))} more ({found.whole.basis or 'nothing'})"
    )
    names = " and ".join(f"{each.name} ({each.told})" for each in found.gives_up)
    needs = duration(round(found.outlook.seconds))
    again = clock(window, opening(window, one.ends).begins)
    if found.word == "overruns":
        return [*lines, f"it does not fit, whatever is given up: it stops in order and goes on {again}"]
    if found.word == "proves":
        without = f" without {names}" if names else ""
        return [*lines, f"the student is validated in time{without}; what comes after that goes on {again}"]
    return [*lines, f"it fits without {names}: about {needs} then" if names else "it fits"]
