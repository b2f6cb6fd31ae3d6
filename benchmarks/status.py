"""How long `nightschool status` takes on a night of many chunks, beside reading each of its manifests once.

    python -m benchmarks.status [CHUNKS]

Most of what the command takes is Python and its imports, so the look itself is timed apart.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from blocks.journal import as_line
from nightschool.records import Answer, Cast, Question
from nightschool.wire import Choice, Reply
from tasks import answers, pool
from tasks.night import Night
from tasks.status import status
from tests.half_night import maker

ROUNDS = 5
ROWS = 20


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        night = many_chunks(Path(folder), count)
        paths = list((night.store.root / "answers").glob("*/*.manifest.json"))
        look = seconds(lambda: status(night))
        bare = seconds(lambda: [path.read_bytes() for path in paths])
        command = [sys.executable, "-m", "flows.cli", "status", night.name, "--store", str(night.store.root)]
        whole = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    print(f"{count:,} chunks of {ROWS} rows, half of them made, one under way; medians of {ROUNDS}")
    print(f"  manifests read   {bare * 1000:8.1f} ms")
    print(f"  the look         {look * 1000:8.1f} ms   {look / bare:5.1f} times that")
    print(f"  the command      {whole * 1000:8.1f} ms")


def many_chunks(folder: Path, count: int) -> Night:
    """A night stopped in its answers: half the chunks made, one with half of its replies on file."""
    night = maker(folder)(f"answers.chunk_rows={ROWS}", name="many")
    night.begin()
    questions = [question(number) for number in range(count * ROWS // len(night.recipe.teachers))]
    night.store.commit(pool.chunks(night)[0], rows=questions, dropped=[], figures={})
    chunks = answers.chunks(night)
    for chunk in chunks[: count // 2]:
        rows = [Answer(id=f"q{row}", teacher=chunk.part, casts=(Cast(letter="A"),)) for row in range(ROWS)]
        journalled(night.store.journal(chunk), ROWS)
        night.store.commit(chunk, rows=rows, dropped=[], figures={"seconds": 1.0})
    journalled(night.store.journal(chunks[count // 2]), ROWS // 2)
    return night


def question(number: int) -> Question:
    return Question(
        id=f"q{number}", topic="series", question="?", choices=("1", "2", "3", "4"), truth="A", key="A", source="x",
        check="ok",
    )  # fmt: skip


def journalled(path: Path, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    choice = Choice(text="x" * 400, finish="stop")
    lines = [
        as_line(Reply(id=f"q{row}", model="m", seed=1, choices=(choice,), tokens_in=1, tokens_out=1, latency_s=1.0,
                      attempts=1))
        for row in range(rows)
    ]  # fmt: skip
    path.write_bytes(b"".join(lines))
    return path


def seconds(work: Callable[[], object]) -> float:
    """Median seconds of a few rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
