"""Time and memory from 1,000 to 100,000 rows: the slope must not change, and nothing may be held.

`python -m benchmarks.scaling [--rows 1000 10000 100000] [--concurrency 64] [--runs 3] [--json]`

Each size runs in a process of its own, four chunks of 250 rows at once with their journals, against one stub without
delay. Reported are, by the best of the runs (a busy machine only adds), seconds and CPU seconds per size, the slope of
the last step over that of the one before, and the peak memory of the largest over that of the smallest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

import orjson

from benchmarks.rows import ours, peak_mb
from benchmarks.stub import stub
from blocks.client import Client
from nightschool.wire import Endpoint

# The smallest size has as many chunks at once as the largest.
_CHUNK_ROWS = 250


def _one(url: str, rows: int, concurrency: int) -> None:
    """Print seconds, CPU seconds and peak MB of one size."""
    wall, cpu = time.perf_counter(), time.process_time()
    with Client() as client:
        endpoint = Endpoint(model="m", urls=(url,), concurrency=concurrency)
        assert ours(client, endpoint, rows, chunk_rows=_CHUNK_ROWS) == rows
    print(orjson.dumps([time.perf_counter() - wall, time.process_time() - cpu, peak_mb()]).decode())


def _measure(url: str, rows: int, concurrency: int, runs: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "benchmarks.scaling", "--one", url, "--rows", str(rows)]
    command += ["--concurrency", str(concurrency)]
    found = [orjson.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(runs)]
    seconds, cpu, memory = zip(*found, strict=True)
    return min(seconds), min(cpu), max(memory)


def main() -> None:
    """Run all sizes and print how they compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return _one(given.one, given.rows[0], given.concurrency)
    with stub() as url:
        found = {rows: _measure(url, rows, given.concurrency, given.runs) for rows in given.rows}
    figures: dict[str, float] = {}
    for rows, (seconds, cpu, memory) in found.items():
        figures |= {f"{rows}_s": round(seconds, 2), f"{rows}_cpu_s": round(cpu, 2), f"{rows}_peak_mb": round(memory)}
    *_, first, middle, last = given.rows
    for place, name in enumerate(("slope", "cpu_slope")):
        late = (found[last][place] - found[middle][place]) / (last - middle)
        early = (found[middle][place] - found[first][place]) / (middle - first)
        figures[f"{name}_ratio"] = round(late / early, 3)
    figures["memory_ratio"] = round(found[last][2] / found[given.rows[0]][2], 3)
    figures["load_1min"] = os.getloadavg()[0]
    lines = [f"{key:18}{value}" for key, value in figures.items()]
    print(orjson.dumps(figures).decode() if given.json else "\n".join(lines))
    return None


if __name__ == "__main__":
    main()
