"""The rows that an earlier night of the same store ended with."""

from __future__ import annotations

from nightschool.chunks import Chunk, Manifest
from nightschool.errors import RecipeError
from nightschool.keys import last_chosen
from tasks.night import Night

_FIELD = "filters.near_duplicates.against"


def ended_with(night: Night, name: str) -> list[tuple[Chunk, Manifest]]:
    """Whole chunks of the last phase of that night which chose among rows.

    Raises:
        RecipeError: it is this night, or there is none of that name, or it has not come so far.
    """
    if name == night.name:
        raise RecipeError("a night is not its own earlier night", field=_FIELD, value=name)
    other = Night.open(night.store.place, name)
    phase = last_chosen(other.keys)
    folder = night.store.root / phase / other.keys[phase]
    night.store.bring(f"{phase}/{folder.name}")
    found: list[tuple[Chunk, Manifest]] = []
    for path in sorted(folder.glob("chunk-*.manifest.json")):
        inputs = tuple(Manifest.model_validate_json(path.read_bytes()).inputs.items())
        index = int(path.name.removeprefix("chunk-").partition(".")[0])
        found += night.made([Chunk(phase, folder.name, index, index, f"{phase} of {name}", inputs=inputs)])
    if not found:
        raise RecipeError("that night has no rows to compare with yet", field=_FIELD, value=name)
    return found
