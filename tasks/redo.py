"""Making chunks unmade, so that the next run of the night makes them again and then what depends on them."""

from __future__ import annotations

from nightschool.errors import RecipeError
from tasks.night import Night
from tasks.steps import STEPS


def forget(night: Night, phase: str, chunk: int | None) -> int:
    """Forgets one chunk of a phase, or all of them; how many there were.

    What depends on them is not touched: it is made again only if the new rows differ.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    step = STEPS.get(phase)
    if step is None:
        raise RecipeError("no such phase", field="--phase", value=phase, allowed=", ".join(STEPS))
    chunks = step.chunks(night)
    chosen = [one for one in chunks if chunk is None or one.ordinal == chunk]
    if not chosen:
        allowed = f"0 to {len(chunks) - 1}" if chunks else "none: the phase has not been reached"
        raise RecipeError(f"phase {phase} has no such chunk", field="--chunk", value=chunk, allowed=allowed)
    for one in chosen:
        with night.store.lock(one):
            night.store.forget(one)
    return len(chosen)
