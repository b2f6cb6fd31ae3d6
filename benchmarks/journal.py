"""The journal alone: what keeping every reply costs, how fast it is read again, and how it is packed.

- kept: rows/s of an event loop that does 80 us of work a row and keeps it, in four ways;
- read: a journal of many rows opened by a chunk that goes on, beside one plain read of its lines as JSON;
- packed: the journal as zstd JSONL (what the store does) and as zstd Parquet, by pyarrow if it is there.

Medians of interleaved rounds; everything is a ratio to the first line of its table.

    python -m benchmarks.journal [--rows 100000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from blocks.journal import Journal, as_line
from blocks.packed import pack
from nightschool.wire import Choice, Reply

WORDS = "alpha beta left right north therefore answer because sits between nobody must 12 7 so A B C D"
WORK = 2500
Keep = Callable[[Reply], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rng = random.Random(0)
    rows = [reply(number, rng) for number in range(options.rows)]
    with tempfile.TemporaryDirectory(prefix="journal-", dir=".") as folder:
        kept(Path(folder), rows[:20_000], options.rounds)
        packed(rows, options.rounds)
        path = Path(folder) / "whole.journal.jsonl"
        path.write_bytes(b"".join(map(as_line, rows)))
        # A chunk that goes on holds no replies yet; to look through these would cost every way the same.
        rows.clear()
        read(path, options.rows, options.rounds)


def reply(number: int, rng: random.Random) -> Reply:
    """One of about 600 bytes, with a text that packs as prose does."""
    choice = Choice(text=" ".join(rng.choices(WORDS.split(), k=70)), finish="stop")
    return Reply(id=f"questions-{number:06d}", model="alba", seed=rng.getrandbits(31), choices=(choice,),
                 tokens_in=200, tokens_out=90, latency_s=rng.random(), attempts=1)  # fmt: skip


def kept(folder: Path, rows: list[Reply], rounds: int) -> None:
    ways = {"not at all": nowhere, "write() each": written, "the journal": journalled, "write(), fsync each": synced}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            # An fsync a row is so slow that a few rows tell.
            some = rows[:500] if way is synced else rows
            with way(folder / f"{number}-{name}") as keep:
                began = time.perf_counter()
                asyncio.run(client(iter(some), keep))
            found[name].append(len(some) / (time.perf_counter() - began))
    table("kept: rows/s", found)


async def client(rows: Iterator[Reply], keep: Keep) -> None:
    """What a client does with no delay at the server: 64 slots, 80 us of work a row, a look at the sockets."""

    async def slot() -> None:
        for row in rows:
            for _ in range(WORK):
                pass
            keep(row)
            await asyncio.sleep(0)

    await asyncio.gather(*(slot() for _ in range(64)))


@contextmanager
def nowhere(path: Path) -> Iterator[Keep]:
    yield lambda row: None


@contextmanager
def written(path: Path) -> Iterator[Keep]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield lambda row: void(os.write(fd, as_line(row)))
    os.close(fd)


@contextmanager
def synced(path: Path) -> Iterator[Keep]:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield lambda row: void(os.write(fd, as_line(row)), os.fsync(fd))
    os.close(fd)


@contextmanager
def journalled(path: Path) -> Iterator[Keep]:
    with Journal(path) as journal:
        yield journal.append


def void(*values: object) -> None:
    """Both were done for what they do."""


def read(path: Path, rows: int, rounds: int) -> None:
    def plainly() -> None:
        with path.open("rb") as file:
            assert sum(1 for line in file if orjson.loads(line)) == rows

    def kept_by_id() -> None:
        with path.open("rb") as file:
            assert len({orjson.loads(line)[1]["id"]: line for line in file}) == rows

    def as_a_chunk_does() -> None:
        with Journal(path) as journal:
            assert len(journal.replies) == rows

    def all_parsed() -> None:
        with Journal(path) as journal:
            assert sum(1 for of_row in journal.replies.values() if of_row) == rows

    ways: dict[str, Callable[[], object]] = {
        "lines as JSON": plainly,
        "the same, kept by id": kept_by_id,
        "known what is there": as_a_chunk_does,
        "all replies parsed": all_parsed,
    }
    table(f"read: s for {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB", timed(ways, rounds))


def packed(rows: list[Reply], rounds: int) -> None:
    lines = [as_line(row) for row in rows]
    size = {"JSONL, zstd": len(pack(lines))}
    ways: dict[str, Callable[[], object]] = {"JSONL, zstd": lambda: pack(lines)}
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        print("packed: no pyarrow here to compare with")
    else:

        def parquet() -> int:
            sink = pa.BufferOutputStream()
            pq.write_table(pa.Table.from_pylist([row.model_dump() for row in rows]), sink, compression="zstd")
            return sink.getvalue().size

        size["Parquet, zstd"] = parquet()
        ways["Parquet, zstd"] = parquet
    table("packed: s", timed(ways, rounds))
    whole = sum(map(len, lines))
    print("  " + ", ".join(f"{name} {whole / count:.1f} times smaller" for name, count in size.items()))


def timed(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way, by turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            found[name].append(time.perf_counter() - began)
    return found


def table(title: str, found: dict[str, list[float]]) -> None:
    print(title)
    first = next(iter(found.values()))
    for name, values in found.items():
        ratio = statistics.median(mine / reference for mine, reference in zip(values, first, strict=True))
        print(f"  {name:<22} {statistics.median(values):>12,.3f}   {ratio:6.3f} times")


if __name__ == "__main__":
    main()
