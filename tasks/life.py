"""From a row's name to its whole life: what every phase of a night made of it, in the night's order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from nightschool.chunks import Chunk
from nightschool.errors import RecipeError
from nightschool.keys import CHOOSING
from tasks import rounds, stages
from tasks.night import Night
from tasks.steps import STEPS

_NEAR = 5
# Phases whose rows are no questions: models, and what held-out questions measured; a written question has another id.
_OTHERS = ("school", "questions", "drafts", "sft", "dpo", "rounds", "validate", "timing", "ablate", "attribute")


@dataclass
class Station:
    """What one phase made of the row: rows that it kept, and rows that it dropped.

    `state`: "kept", "dropped", "passed by" (it never came here), or "not yet" (the phase is not whole).
    """

    phase: str
    state: str = "not yet"
    kept: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    note: str = ""


@dataclass
class Life:
    """A row of a night by its id, and its stations in the night's order."""

    night: str
    id: str
    question: str
    stations: list[Station]


def life(night: Night, name: str) -> Life:
    """All that the night's phases made of a row by now.

    Args:
        name: its id, the beginning of it that no other row has, or a piece of its question's text.

    Raises:
        RecipeError: no row is named so, or several are; lists those that come near.
    """
    row_id, question = _find(night, name)
    found = [_station(night, phase, row_id) for phase in STEPS if phase not in _OTHERS]
    stations = [station for station in found if station]
    taught = {station.phase: station for station in stations}
    return Life(night.name, row_id, question, [*stations, *_trained(night, taught)])


def _find(night: Night, name: str) -> tuple[str, str]:
    asked = {row["id"]: str(row.get("question") or row.get("text") or "") for row in _asked(night)}
    wanted = name.strip()
    matching = [row_id for row_id in asked if row_id.startswith(wanted)] if wanted else []
    matching = [wanted] if wanted in asked else matching or [
        row_id for row_id, text in asked.items() if wanted and wanted.casefold() in text.casefold()
    ]  # fmt: skip
    if len(matching) == 1:
        return matching[0], asked[matching[0]]
    message = "several rows are named so" if matching else "no row of this night is named so"
    near = matching or sorted(asked, key=lambda row_id: -_alike(wanted, row_id, asked[row_id]))
    told = "; ".join(f"{row_id} ({' '.join(asked[row_id].split())[:40]})" for row_id in near[:_NEAR])
    raise RecipeError(message, field="ROW", value=name, allowed=told or "the night has no questions yet")


def _alike(wanted: str, row_id: str, text: str) -> int:
    """Characters at the beginning of the id, or words, in common."""
    same = next((n for n, (a, b) in enumerate(zip(wanted, row_id, strict=False)) if a != b), 0)
    return max(same, len(set(wanted.casefold().split()) & set(text.casefold().split())))


def _asked(night: Night) -> Iterator[dict[str, Any]]:
    for chunk, _ in night.made(STEPS["pool"].chunks(night)):
        yield from night.store.read(chunk, orjson.loads)
        yield from night.store.read(chunk, orjson.loads, dropped=True)


def _station(night: Night, phase: str, row_id: str) -> Station | None:
    """None for a phase that the recipe leaves out."""
    chunks = STEPS[phase].chunks(night)
    if not chunks:
        return None
    station, whole = Station(phase), night.made(chunks)
    for chunk, manifest in whole:
        station.kept += _rows(night, chunk, row_id)
        station.dropped += _rows(night, chunk, row_id, dropped=True) if sum(manifest.dropped.values()) else []
    if station.kept or station.dropped:
        station.state = "kept" if station.kept else "dropped"
    elif len(whole) == len(chunks):
        station.state = "passed by"
    return station


def _rows(night: Night, chunk: Chunk, row_id: str, *, dropped: bool = False) -> list[dict[str, Any]]:
    """Rows that carry the id, alone or with something behind it (a critique's, a repeated row's)."""
    mark = row_id.encode()
    found = [orjson.loads(line) for line in night.store.lines(chunk, dropped=dropped) if mark in line]
    part = {"stage" if chunk.phase == "pairs" else "teacher": chunk.part} if chunk.part else {}
    return [part | row for row in found if _is_of(str(row.get("id")), row_id)]


def _is_of(found: str, row_id: str) -> bool:
    return found == row_id or (found.startswith(row_id) and not found[len(row_id)].isalnum())


def _trained(night: Night, stations: dict[str, Station]) -> Iterator[Station]:
    """Which checkpoints saw the row's answer: those that were trained on rows that are its own."""
    ruled = [phase for phase in CHOOSING if phase in stations and stations[phase].state in ("kept", "dropped")]
    read = {"sft": ruled[-1] if ruled else "", "dpo": "pairs"}
    for phase, before in read.items():
        for stage in stages.of_kind(night, phase):
            if not stage.answers or not rounds.begins(night, stage):
                continue
            chunk, station = stages.training(night, stage.name), Station(phase)
            kept = stations[before].kept if before in stations else []
            if night.made([chunk]):
                seen = [row for row in kept if _learned(row, chunk.part)]
                station.state = "seen" if seen else "passed by"
                station.note = str(stages.output(night, chunk.part)) if seen else ""
            yield station


def _learned(row: dict[str, Any], stage: str) -> bool:
    """Rows of pairs say which stage learns from them."""
    return row.get("side", "train") == "train" and row.get("stage", stage) == stage
