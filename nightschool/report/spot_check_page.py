"""From the rows of a spot check, and what people say of them, to a page with two buttons for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nightschool.records import LETTERS
from nightschool.report.page import framed
from nightschool.report.people import SpotCheck, SpotRow, spotted
from nightschool.report.text import plain, visible
from nightschool.review import Case, Voice

# What this page may do: no script, no address but its own. A verdict is a form that is sent.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Refusal:
    """A verdict on a row that was not taken: why, and what was typed, to be mended."""

    row: str
    why: str
    typed: Mapping[str, str]


@dataclass(frozen=True)
class Card:
    """A drawn row as the page shows it. next: the row below it that nobody has looked at."""

    case: Case
    said: SpotRow
    next: str | None = None

    @property
    def choices(self) -> list[tuple[str, str]]:
        return list(zip(LETTERS, self.case.ruling.question.choices, strict=False))

    @property
    def teachers(self) -> list[Voice]:
        """All but the first voice, which is the row's own."""
        return list(self.case.voices[1:])

    @property
    def agree(self) -> str:
        """ "2 of 3 teachers say so"."""
        same = sum(voice.answer == self.case.ruling.answer for voice in self.teachers)
        return f"{same} of {len(self.teachers)} teacher{'s' if len(self.teachers) > 1 else ''} say so"

    @property
    def others(self) -> list[tuple[str, str]]:
        """Answers that may be right instead, each as it is shown."""
        choices = dict(self.choices)
        found = [one for one in self.case.options if one != self.case.ruling.answer]
        return [(one, visible(f"{one}) {choices[one]}" if one in choices else one)) for one in found]

    @property
    def fixed(self) -> bool:
        """Whether these are all answers that there may be."""
        return bool(self.choices) or self.case.kind == "yes_no"


def render(
    night: str,
    cases: Sequence[Case],
    found: SpotCheck | None,
    *,
    who: str,
    token: str,
    report: bool,
    refused: Refusal | None = None,
) -> str:
    """The whole page.

    Args:
        cases: in the order of the rows of `found`.
        who: whoever looks, as far as that is known.
        token: what a form has to bring back.
        report: whether there is one to go back to.
    """
    return framed(
        "spot_check.html.j2",
        night=night,
        cards=_cards(cases, found) if found else [],
        told=spotted(found) if found else "",
        who=who,
        token=token,
        report=report,
        refused=refused,
        shown=lambda text: visible(text).strip(),
        worded=lambda text: visible(plain(text)),
    )


def _cards(cases: Sequence[Case], found: SpotCheck) -> list[Card]:
    cards: list[Card] = []
    below = None
    for case, said in reversed(list(zip(cases, found.rows, strict=True))):
        cards.append(Card(case, said, below))
        below = below if said.verdict else case.content
    return cards[::-1]
