"""How the rows of a phase lie in chunks: part after part (a teacher, a stage, a judge), in each run after run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized

from nightschool.chunks import Chunk, Manifest, Together
from tasks.night import Night

After = Sequence[Manifest | Together]


def laid(
    night: Night, phase: str, runs: Mapping[str, Sequence[Sized]], said: str, after: Mapping[str, After], first: int = 0
) -> list[Chunk]:
    """One chunk for each run of each part, labelled "answers chunk 3/8 by alba" where `said` is "by".

    `after` has what each part is made from; `first` is the place in the phase of the first of them.
    """
    found = [(part, index, len(run)) for part, mine in runs.items() for index, run in enumerate(mine)]
    return [
        night.chunk(
            f"{phase}/{part}",
            index,
            first + place,
            f"{phase} chunk {place + 1}/{len(found)} {said} {part}",
            rows=rows,
            after=after[part],
        )
        for place, (part, index, rows) in enumerate(found)
    ]
