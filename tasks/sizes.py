"""Rows per chunk where a recipe gives minutes: from what this store measured, chosen once and kept for good.

The choice is part of a chunk's identity: a rate that is measured anew must not rename what is made already.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterator
from pathlib import Path

import orjson
from pydantic import ValidationError

from blocks.disk import write_whole, writing
from blocks.store import MANIFEST, Store
from nightschool.chunks import Manifest
from nightschool.recipe.phases import Asking
from nightschool.recipe.recipe import Recipe

_FOLDER = "chunk-rows"
_PHASES = ("questions", "answers", "pairs")
_MOST_ROWS = 100_000
# The newest chunks tell best what the machines do now.
_LOOKED_AT = 200


def sized(recipe: Recipe, store: Store) -> Recipe:
    """The recipe with `chunk_rows` set wherever it has `chunk_minutes`: as chosen before, else as measured."""
    found = {phase: section for phase, section in _sections(recipe) if section.chunk_minutes}
    if found:
        store.bring(_FOLDER)
    return recipe.model_copy(
        update={
            phase: section.model_copy(update={"chunk_rows": _rows(recipe, store, phase, section)})
            for phase, section in found.items()
        }
    )


def fix(recipe: Recipe, store: Store) -> None:
    """Keeps the choices of a sized recipe for every later night of this store."""
    for phase, section in _sections(recipe):
        path = _file(recipe, store, phase, section)
        if section.chunk_minutes and not path.exists():
            with writing(path.parent):
                write_whole(path, orjson.dumps({"phase": phase, "chunk_rows": section.chunk_rows}))
            store.mirror(path)


def _sections(recipe: Recipe) -> Iterator[tuple[str, Asking]]:
    for phase in _PHASES:
        section = getattr(recipe, phase)
        if section is not None:
            yield phase, section


def _rows(recipe: Recipe, store: Store, phase: str, section: Asking) -> int:
    try:
        return int(orjson.loads(_file(recipe, store, phase, section).read_bytes())["chunk_rows"])
    except FileNotFoundError:
        pass
    rates = list(_rates(store, phase, {model.name for model in recipe.teachers} if phase != "pairs" else set()))
    if not rates or not section.chunk_minutes:
        return section.chunk_rows
    wanted = statistics.median(rates) * 60 * section.chunk_minutes
    return max(1, min(_MOST_ROWS, int(float(f"{wanted:.1e}"))))


def _rates(store: Store, phase: str, parts: set[str]) -> Iterator[float]:
    """Rows a second of whole chunks of the phase, of these teachers where any are named."""
    paths = (store.root / phase).glob(f"*/chunk-*.{MANIFEST}")
    for path in sorted(paths, key=lambda path: path.stat().st_mtime)[-_LOOKED_AT:]:
        try:
            found = Manifest.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        seconds, rows = found.figures.get("seconds", 0), found.rows + sum(found.dropped.values())
        if seconds and rows and (not parts or found.figures.get("part") in parts):
            yield rows / seconds


def _file(recipe: Recipe, store: Store, phase: str, section: Asking) -> Path:
    who = [model.name for model in recipe.teachers] if phase != "pairs" else []
    digest = hashlib.sha256(orjson.dumps([who, section.chunk_minutes])).hexdigest()[:8]
    return store.root / _FOLDER / f"{phase}-{digest}.json"
