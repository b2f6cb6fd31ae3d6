"""From accepted rows to those worth teaching: named checks in order, the first that objects is a row's one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal, NamedTuple

from msgspec import Raw
from msgspec.structs import replace

from nightschool.classes import value_of
from nightschool.ruling_line import RulingLine

RULES_VERSION = 1

Unit = Literal["characters", "words", "tokens"]


class Found(NamedTuple):
    """Why a row should go: a counter's name, and what a person is told."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One filter. `weight`: rows that it objects to stay, and weigh so much; None drops them."""

    name: str
    find: Callable[[RulingLine], Found | None]
    weight: float | None = None


@dataclass
class Tally:
    """What one filter did: rows and weight by field and value as [before, after], and rows by reason."""

    name: str
    rows_in: int = 0
    rows_out: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    spared: int = 0
    shares: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def count(self, ruling: RulingLine, fields: Sequence[str], after: float) -> None:
        self.rows_in += 1
        self.rows_out += after > 0
        for name in fields:
            counts = self.shares.setdefault(name, {}).setdefault(value_of(ruling, name), [0.0, 0.0])
            counts[0] += ruling.weight
            counts[1] += after

    def figures(self) -> dict[str, Any]:
        return {
            "name": self.name, "rows_in": self.rows_in, "rows_out": self.rows_out, "reasons": dict(self.reasons),
            "spared": self.spared, "shares": self.shares,
        }  # fmt: skip


class Sieved(NamedTuple):
    """Rows that stay, rows that go behind their reason, and what each filter did."""

    kept: list[RulingLine]
    dropped: list[tuple[str, RulingLine]]
    tallies: list[Tally]


def sieve(rulings: Iterable[RulingLine], checks: Sequence[Check], fields: Sequence[str]) -> Sieved:
    """Holds every row against the checks, in order, until one objects.

    Args:
        fields: what is counted before and after each check, see `nightschool.classes`.
    """
    found = Sieved([], [], [Tally(check.name) for check in checks])
    for row in rulings:
        ruling = row
        for check, tally in zip(checks, found.tallies, strict=True):
            why = check.find(ruling)
            if why is None:
                tally.count(ruling, fields, ruling.weight)
                continue
            if check.weight is None:
                tally.count(ruling, fields, 0.0)
                tally.reasons[why.reason] += 1
                gone = replace(ruling, verdict="reject", reason=why.reason, detail=why.detail)
                found.dropped.append((why.reason, gone))
                break
            tally.count(ruling, fields, ruling.weight * check.weight)
            tally.spared += 1
            mended = ruling.mended
            note = mended.model_copy(update={"spared": (*mended.spared, why.reason)})
            ruling = replace(ruling, weight=ruling.weight * check.weight, repairs=Raw(note.model_dump_json().encode()))
        else:
            found.kept.append(ruling)
    return found


def consistency(ruling: RulingLine, drop: Sequence[str]) -> Found | None:
    """Objects to questions whose solutions teach no difference.

    Source: plan 004, filter_solutions.py. Its text keeps a question if at least one model has mixed results; its code
    kept all right against all wrong as well (`opposed` here).
    """
    results = ruling.agreed or "unknown"
    if results not in drop:
        return None
    return Found(results, ", ".join(f"{name} {found}" for name, found in ruling.results.items()))


def difficulty(ruling: RulingLine, least: float, most: float) -> Found | None:
    """Objects to a pass rate outside [least, most]; where no sample was judged, nothing is known and the row stays.

    A night by letter has the votes instead of samples.
    """
    rate = ruling.pass_rate
    if rate is None:
        cast = [vote for vote in ruling.votes.values() if vote]
        rate = cast.count(ruling.answer or "") / len(cast) if cast else None
    if rate is None or least <= rate <= most:
        return None
    return Found("too_hard" if rate < least else "too_easy", f"{rate:.0%} right")


def form(ruling: RulingLine, require: Sequence[str], forbid: Sequence[str]) -> Found | None:
    """Objects to an explanation without a needed text or with a forbidden one, and to choices that are the same."""
    choices = [choice.strip().casefold() for choice in ruling.question.choices]
    if len(set(choices)) < len(choices):
        return Found("same_choices")
    for text in forbid:
        if text in ruling.reasoning or text in ruling.question.question:
            return Found("forbidden_text", text)
    for text in require:
        if text not in ruling.reasoning:
            return Found("missing_text", text)
    return None if ruling.reasoning.strip() else Found("no_explanation")


def length(text: str, unit: Unit, least: int | None, most: int | None) -> Found | None:
    """Objects to a text that is too short or too long. Tokens are a guess: a quarter of the bytes in UTF-8."""
    size = {
        "characters": lambda: len(text),
        "words": lambda: len(text.split()),
        "tokens": lambda: ceil(len(text.encode()) / 4),
    }[unit]()
    if least is not None and size < least:
        return Found("too_short", f"{size} {unit}")
    return Found("too_long", f"{size} {unit}") if most is not None and size > most else None
