"""No barrier at a chunk's end: rows whose delays are log-normal, in many chunks, beside the list-scheduling bound.

`python -m benchmarks.stragglers [--rows 5000] [--chunks 50] [--concurrency 64] [--at-once 16] [--runs 3] [--json]`

Median 50 ms, p99 1 s, drawn from each row's seed. The bound is list scheduling: each row in turn goes to whichever slot
is free, and costs nothing but its delay; nobody who does not know the delays beforehand can plan better. It is worked
out, as is what a barrier at each chunk's end would make of the same rows. `floor_s` is what no plan at all can beat:
all delays, late timers included, over all slots, or the longest row.

Enough chunks must be in flight: one of 100 rows is asked for in 0.2 s and may wait for its last row for five.
"""

from __future__ import annotations

import argparse
import heapq
import os
import statistics
import time
from collections.abc import Sequence

import orjson

from benchmarks.rows import ours
from benchmarks.stub import delay_s, served, stub
from blocks.client import Client
from nightschool.chunks import split
from nightschool.wire import Endpoint

_MEDIAN_MS, _P99_MS = 50.0, 1000.0


def _scheduled(delays: Sequence[float], slots: int) -> float:
    """Makespan of rows taken in order by whoever is free."""
    free = [0.0] * slots
    for delay in delays:
        heapq.heapreplace(free, free[0] + delay)
    return max(free)


def main() -> None:
    """Run it some times and print the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    chunk_rows = -(-given.rows // given.chunks)
    delays = [delay_s(row, _MEDIAN_MS, _P99_MS) for row in range(given.rows)]
    took: list[tuple[float, float]] = []
    with stub(_MEDIAN_MS, _P99_MS) as url, Client() as client:
        endpoint = Endpoint(model="m", urls=(url,), concurrency=given.concurrency)
        for _ in range(given.runs):
            _, before = served(url)
            began = time.perf_counter()
            assert ours(client, endpoint, given.rows, chunk_rows=chunk_rows, at_once=given.at_once) == given.rows
            seconds = time.perf_counter() - began
            took.append((seconds, max((served(url)[1] - before) / given.concurrency, *delays)))
    listed = _scheduled(delays, given.concurrency)
    barrier = sum(_scheduled(chunk, given.concurrency) for chunk in split(delays, chunk_rows))
    figures = {
        "rows": given.rows, "chunks": given.chunks, "concurrency": given.concurrency, "runs": given.runs,
        "at_once": given.at_once, "makespan_s": round(statistics.median(seconds for seconds, _ in took), 2),
        "list_scheduling_s": round(listed, 2),
        "ratio_to_bound": round(statistics.median(seconds for seconds, _ in took) / listed, 3),
        "floor_s": round(statistics.median(floor for _, floor in took), 2), "barrier_s": round(barrier, 2),
        "load_1min": os.getloadavg()[0],
    }  # fmt: skip
    lines = [f"{key:18}{value}" for key, value in figures.items()]
    print(orjson.dumps(figures).decode() if given.json else "\n".join(lines))


if __name__ == "__main__":
    main()
