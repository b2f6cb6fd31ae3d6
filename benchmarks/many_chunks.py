"""A night of 1,000 chunks beside one of 100 with the same rows: its memory, and how long a look at it takes meanwhile.

    python -m benchmarks.many_chunks [--rows 5000] [--chunks 100 1000]

The night is run as a user runs it; memory is the most that it held with all that it started (Prefect's server and the
model server too), as its own ledger has it. `status` is looked at again and again while it runs, alone and as a
command; wanted is less than a second.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.drill_night import drill_night
from flows.drill.place import Place
from tasks.ledger import last_run
from tasks.status import status


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds of the night, bytes at most, seconds of each look and of each command."""

    seconds: float
    peak: int
    looks: list[float]
    commands: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--chunks", type=int, nargs=2, default=[100, 1_000])
    given = parser.parse_args()
    found: list[Found] = []
    for chunks in given.chunks:
        with tempfile.TemporaryDirectory(prefix="many-chunks-", ignore_cleanup_errors=True) as name:
            one = _night(_place(Path(name), given.rows, chunks))
        found.append(one)
        looks, commands = map(_told, (one.looks, one.commands))
        print(
            f"{chunks:,} chunks: {one.seconds:.0f} s, {one.peak / 2**20:.0f} MiB at most; "
            f"a look {looks} s, the command {commands} s",
            flush=True,
        )
    few, many = found
    print(f"memory {many.peak / few.peak:.2f} times that of {given.chunks[0]:,}; {many.seconds - few.seconds:+.0f} s")


def _place(folder: Path, rows: int, chunks: int) -> Place:
    place = drill_night(folder, rows)
    answers = place.recipe.answers.model_copy(update={"chunk_rows": rows // chunks, "chunks_in_flight": 16})
    return replace(place, recipe=place.recipe.model_copy(update={"answers": answers}))


def _night(place: Place) -> Found:
    began = time.monotonic()
    looks: list[float] = []
    commands: list[float] = []
    process = place.start()
    place.until_asked(process, 1)
    command = [sys.executable, "-m", "flows.cli", "status", place.recipe.name, "--store", place.recipe.store]
    while process.poll() is None:
        looks.append(_seconds(lambda: status(place.night())))
        commands.append(_seconds(lambda: subprocess.run(command, check=True, capture_output=True)))
        time.sleep(0.2)
    place.finish(process, 0)
    seconds = time.monotonic() - began
    return Found(seconds, last_run(place.night().dir).memory["peak"], looks, commands)


def _told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} (most {max(seconds):.2f})"


def _seconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
