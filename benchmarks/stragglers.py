"""No barrier at a chunk's end: rows whose delays are log-normal, beside a bare loop and the list-scheduling bound.

`python -m benchmarks.stragglers [--rows 5000] [--chunks 50] [--concurrency 64] [--at-once 16] [--runs 3] [--json]`

Median 50 ms, p99 1 s, drawn from each row's seed, so that the bare aiohttp loop (benchmarks/rows.py) meets the same.
The bound is list scheduling: each row in turn goes to whichever slot is free, and costs nothing but its delay.

Nobody who does not know the delays beforehand can plan better. Slots are alike and rows can't be moved once they are
asked, so to leave a slot idle while a row waits gains nothing: what remains to decide is the order. Delays are drawn
independently, so an order that is chosen without knowing them is as good as any other: `any_order_s` is the mean over
200 shuffles, with the best of them. `floor_s` (all delays, late timers included, over all slots, or the longest row)
takes knowing them: the longest rows first. It is what 1.05 can't be asked against: the row of five seconds comes when
it comes. Worked out too is what a barrier at each chunk's end would make of the same rows.

Enough chunks must be in flight: one of 100 rows is asked for in 0.2 s and may wait for its last row for five.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import statistics
import time
from collections.abc import Sequence

import orjson

from benchmarks.rows import bare, ours
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


def _shuffled(delays: Sequence[float], slots: int, orders: int = 200) -> list[float]:
    """Makespans of so many orders that know nothing of the delays."""
    rng = random.Random(0)
    return [_scheduled(rng.sample(delays, len(delays)), slots) for _ in range(orders)]


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
    barely: list[float] = []
    with stub(_MEDIAN_MS, _P99_MS) as url, Client() as client:
        endpoint = Endpoint(model="m", urls=(url,), concurrency=given.concurrency)
        for _ in range(given.runs):
            _, before = served(url)
            began = time.perf_counter()
            assert ours(client, endpoint, given.rows, chunk_rows=chunk_rows, at_once=given.at_once) == given.rows
            seconds = time.perf_counter() - began
            took.append((seconds, max((served(url)[1] - before) / given.concurrency, *delays)))
            began = time.perf_counter()
            assert bare(url, given.rows, given.concurrency) == given.rows
            barely.append(time.perf_counter() - began)
    shuffled = _shuffled(delays, given.concurrency)
    listed = _scheduled(delays, given.concurrency)
    barrier = sum(_scheduled(chunk, given.concurrency) for chunk in split(delays, chunk_rows))
    figures = {
        "rows": given.rows, "chunks": given.chunks, "concurrency": given.concurrency, "runs": given.runs,
        "at_once": given.at_once, "makespan_s": round(statistics.median(seconds for seconds, _ in took), 2),
        "bare_loop_s": round(statistics.median(barely), 2), "list_scheduling_s": round(listed, 2),
        "ratio_to_bound": round(statistics.median(seconds for seconds, _ in took) / listed, 3),
        "bare_ratio": round(statistics.median(barely) / listed, 3),
        "any_order_s": f"{statistics.mean(shuffled):.2f} (best {min(shuffled):.2f})",
        "floor_s": round(statistics.median(floor for _, floor in took), 2), "barrier_s": round(barrier, 2),
        "load_1min": os.getloadavg()[0],
    }  # fmt: skip
    lines = [f"{key:18}{value}" for key, value in figures.items()]
    print(orjson.dumps(figures).decode() if given.json else "\n".join(lines))


if __name__ == "__main__":
    main()
