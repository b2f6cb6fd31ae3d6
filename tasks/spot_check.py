"""A few of the rows that a night teaches, for a person to look at, and what people say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from blocks.disk import write_whole, writing
from nightschool.records import LETTERS, Ruling
from nightschool.relettering import rewritten
from nightschool.report.people import SpotCheck
from nightschool.report.verdict import conclude
from nightschool.review import Case, Voice
from nightschool.spot_check import draw, measure
from tasks import balance, review
from tasks.cases import cases
from tasks.night import Night
from tasks.reports import report_of

# Who speaks for the row as it is taught, beside its teachers.
TAUGHT = "as it is taught"


class _Mended(msgspec.Struct, gc=False):
    source: str | None = None


class _Lot(msgspec.Struct, gc=False):
    """What is looked at of a `Ruling` to draw it; the others are not parsed."""

    id: str
    side: str = "train"
    mended: _Mended = msgspec.field(default_factory=_Mended)


class Drawn(NamedTuple):
    """The rows, and how many they were drawn from."""

    rows: list[Ruling]
    taught: int


_LOT = msgspec.json.Decoder(_Lot).decode


def drawn(night: Night) -> Drawn:
    """A few rows of the train side, by the night's seed; one that the balance repeats counts once."""
    if not night.recipe.rules:
        return Drawn([], 0)
    tally: Counter[str] = Counter()

    def lots() -> Iterator[tuple[str, bytes]]:
        for lot, line in night.read(balance.out(night), lambda line: (_LOT(line), bytes(line))):
            if lot.side == "train" and lot.mended.source is None:
                tally["taught"] += 1
                yield lot.id, line

    rows = [Ruling.model_validate_json(line) for line in draw(lots(), seed=night.recipe.seed)]
    return Drawn(rows, tally["taught"])


def waiting(night: Night) -> list[Case]:
    """Every drawn row as a person sees it: first as it is taught, then what each teacher said."""
    return _seen(night, drawn(night.at_a_glance).rows)


def spot_check(night: Night) -> SpotCheck | None:
    """What people say of the drawn rows by now; None where nothing is taught yet."""
    return _said(night, drawn(night))


def sheet(night: Night) -> tuple[tuple[Case, ...], SpotCheck | None]:
    """The drawn rows as a person sees them, and what people say of each by now, in one order.

    What the rows are is worked out once for as long as the night stands as it does: a person presses twenty buttons.
    """
    night = night.at_a_glance
    made = tuple(manifest.digest for _, manifest in night.made(balance.out(night)))
    found, seen = _sheet(night.store.place, night.name, night.stamp, made)
    return seen, _said(night, found)


@lru_cache(maxsize=4)
def _sheet(place: str, name: str, stamp: str, made: tuple[str, ...]) -> tuple[Drawn, tuple[Case, ...]]:
    night = Night.open(place, name)
    found = drawn(night.at_a_glance)
    return found, tuple(_seen(night, found.rows))


def _seen(night: Night, rows: Sequence[Ruling]) -> list[Case]:
    found = cases(night, [_as_asked(row) for row in rows])
    return [_as_taught(row, case) for row, case in zip(rows, found, strict=True)]


def _said(night: Night, found: Drawn) -> SpotCheck | None:
    said = review.decided(night) if found.rows else {}
    return measure(found.rows, said, night.recipe.answers.kind, taught=found.taught) if found.rows else None


def refresh(night: Night) -> SpotCheck | None:
    """Puts what people say by now into the report on file; a night that runs will do so itself.

    Raises:
        WorldError: there is no report yet.
    """
    found = spot_check(night)
    if night.running:
        return found
    # matplotlib takes two seconds to import, and only this draws.
    from nightschool.report.page import render

    told = conclude(report_of(night).model_copy(update={"spot_check": found}), night.recipe.gates, night.recipe)
    with writing(night.dir):
        write_whole(night.dir / "report.json", told.model_dump_json(indent=1).encode())
        write_whole(night.dir / "report.html", render(told).encode())
    night.store.mirror(*(night.dir / name for name in ("report.json", "report.html")))
    return found


def _as_asked(row: Ruling) -> Ruling:
    """With votes by the letters that the teachers were shown."""
    shown = row.mended.letters
    if shown is None:
        return row
    back = {LETTERS[place]: old for place, old in enumerate(shown)}
    return row.model_copy(update={"votes": {name: vote and back[vote] for name, vote in row.votes.items()}})


def _as_taught(row: Ruling, case: Case) -> Case:
    """With the letters that the row has by now, in teachers' words too; those that name none surely are left out."""
    moved = {old: LETTERS[place] for place, old in enumerate(row.mended.letters or ())}
    voices = case.voices if not moved else tuple(
        Voice(voice.teacher, voice.answer and moved[voice.answer], rewritten(voice.reasoning, moved) or "")
        for voice in case.voices
    )  # fmt: skip
    return replace(case, ruling=row, voices=(Voice(TAUGHT, row.answer, row.reasoning), *voices))
