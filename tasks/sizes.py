"""Rows per chunk where a recipe gives minutes: from what this store measured, chosen once and kept for good.

The choice is part of a chunk's identity: a rate that is measured anew must not rename what is made already. The first
night of a store has measured nothing and goes by `chunk_rows`: what it has begun stays so, what is made of another
recipe goes by minutes.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
from pydantic import ValidationError

from blocks.disk import write_whole, writing
from blocks.store import MANIFEST, Store
from nightschool.chunks import Manifest
from nightschool.lineage import lineage
from nightschool.recipe.phases import Asking
from nightschool.recipe.recipe import Recipe

_FOLDER = "chunk-rows"
_PHASES = ("questions", "answers", "pairs")
_MOST_ROWS = 100_000
# The newest chunks tell best what the machines do now.
_LOOKED_AT = 200


def sized(recipe: Recipe, engines: Mapping[str, str], store: Store) -> Recipe:
    """The recipe with `chunk_rows` set wherever it has `chunk_minutes`: as begun or chosen before, else as measured.

    Args:
        engines: by model name, with "auto" resolved.
    """
    for phase, section in _sections(recipe):
        if section.chunk_minutes:
            store.bring(_FOLDER)
            chosen = _chosen(recipe, store, phase, section)
            ways = [_with(recipe, phase, rows) for rows in (chosen, section.chunk_rows) if rows]
            begun = (one for one in ways if _begun(one, engines, store, phase))
            wanted = chosen or _measured(recipe, store, phase, section) or section.chunk_rows
            recipe = next(begun, _with(recipe, phase, wanted))
    return recipe


def _with(recipe: Recipe, phase: str, rows: int) -> Recipe:
    section = getattr(recipe, phase).model_copy(update={"chunk_rows": rows})
    return recipe.model_copy(update={phase: section})


def _begun(recipe: Recipe, engines: Mapping[str, str], store: Store, phase: str) -> bool:
    """Whether the store has anything of the phase as this recipe would cut it."""
    keys = [key for place, key in lineage(recipe, engines).items() if place.partition("/")[0] == phase]
    return any(next((store.root / phase / key).glob("chunk-*"), None) for key in keys)


def fix(recipe: Recipe, engines: Mapping[str, str], store: Store) -> None:
    """Keeps what was measured and chosen of a sized recipe for every later night of this store."""
    for phase, section in _sections(recipe):
        path = _file(recipe, store, phase, section)
        if not section.chunk_minutes or path.exists() or _begun(recipe, engines, store, phase):
            continue
        if _measured(recipe, store, phase, section):
            with writing(path.parent):
                write_whole(path, orjson.dumps({"phase": phase, "chunk_rows": section.chunk_rows}))
            store.mirror(path)


def _sections(recipe: Recipe) -> Iterator[tuple[str, Asking]]:
    for phase in _PHASES:
        section = getattr(recipe, phase)
        if section is not None:
            yield phase, section


def _chosen(recipe: Recipe, store: Store, phase: str, section: Asking) -> int | None:
    try:
        return int(orjson.loads(_file(recipe, store, phase, section).read_bytes())["chunk_rows"])
    except FileNotFoundError:
        return None


def _measured(recipe: Recipe, store: Store, phase: str, section: Asking) -> int | None:
    rates = list(_rates(store, phase, {model.name for model in recipe.teachers} if phase != "pairs" else set()))
    if not rates or not section.chunk_minutes:
        return None
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
