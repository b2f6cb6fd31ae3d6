"""What an answer can be, and what became of reading one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["letter", "yes_no", "integer", "number", "latex", "text"]
Fallback = Literal["none", "last_number"]
Outcome = Literal["value", "nothing", "could_not_judge"]

# The longest of the 4,500 published MATH answers has 159 characters (measured): what is longer is no answer, and
# comparing it could take any time.
MAX_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read out of a completion: a value, or none and why.

    `reason` is a counter's name. `could_not_judge` is neither right nor wrong: nobody may count it as either.
    """

    outcome: Outcome
    value: str | None = None
    reason: str | None = None


def value(text: str) -> Reading:
    """A value that was found."""
    return Reading("value", value=text)


def nothing(reason: str) -> Reading:
    """The completion has no answer of this kind."""
    return Reading("nothing", reason=reason)


def unclear(reason: str) -> Reading:
    """There may be an answer, and it can't be told which."""
    return Reading("could_not_judge", reason=reason)
