"""Rows per second of our client beside a bare aiohttp loop, on the same stub server, taking turns in the same run.

`python -m benchmarks.client [--rows 20000] [--pairs 5] [--delay-ms 0] [--concurrency 64] [--replicas 1] [--json]`

Ours is all that a phase does to a row: its request, its retries, its durable journal, its reply read as an answer.
The bare loop (benchmarks/rows.py) is the fastest thing that a careful person would write by hand; it retries nothing,
checks nothing and survives no power cut. Reported is the median over pairs of (ours / bare), in rows per second and in
CPU, which a busy machine can't blur; with a delay, also the share of the bound: concurrency / delay, the delay as the
stub's late timers made it, in full rounds (5,000 rows at 256 in flight take 20 rounds, not 19.5).

Where the system lets it, all of this runs before whatever else the machine has to do (`alone`): a loop that must turn
around 5,000 replies a second loses slots to any neighbour.

`--replicas 8` asks so many stubs, `--concurrency` each, beside ours with one of them: the share of so many times one.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
from collections.abc import Callable
from contextlib import ExitStack

import orjson

from benchmarks.rows import bare, ours, timed
from benchmarks.stub import served, stub
from blocks.client import Client
from blocks.memory import look_seldom
from nightschool.wire import Endpoint


def _beside_bare(url: str, rows: int, pairs: int, concurrency: int, delay_ms: float) -> dict[str, float]:
    found, shares = [], []
    with Client() as client:
        endpoint = Endpoint(model="m", urls=(url,), concurrency=concurrency)
        ours(client, endpoint, min(rows, 500))
        for _ in range(pairs):
            mine, share = _share(url, rows, concurrency, lambda: ours(client, endpoint, rows))
            others, bare_share = _share(url, rows, concurrency, lambda: bare(url, rows, concurrency))
            found.append((*mine, *others))
            shares.append((share, bare_share))
    figures = {
        "ours_rows_per_s": round(statistics.median(one[0] for one in found)),
        "bare_rows_per_s": round(statistics.median(one[2] for one in found)),
        "ratio": round(statistics.median(one[0] / one[2] for one in found), 3),
        "ours_cpu_us_per_row": round(statistics.median(one[1] for one in found), 1),
        "bare_cpu_us_per_row": round(statistics.median(one[3] for one in found), 1),
        "cpu_ratio": round(statistics.median(one[3] / one[1] for one in found), 3),
    }
    if delay_ms:
        figures["share_of_bound"] = round(statistics.median(share for share, _ in shares), 3)
        figures["bare_share_of_bound"] = round(statistics.median(share for _, share in shares), 3)
    return figures


def _share(url: str, rows: int, concurrency: int, run: Callable[[], int]) -> tuple[tuple[float, float], float]:
    """Rows per second and CPU, and the share of what the server's delay allows."""
    replies, seconds = served(url)
    found = timed(run, rows)
    replies, seconds = served(url)[0] - replies, served(url)[1] - seconds
    return found, math.ceil(rows / concurrency) * (seconds / replies) / (rows / found[0])


def _beside_one(urls: tuple[str, ...], rows: int, pairs: int, concurrency: int) -> dict[str, float]:
    many, one = [], []
    with Client() as client:
        for _ in range(pairs):
            endpoint = Endpoint(model="m", urls=urls, concurrency=concurrency)
            many.append(timed(lambda endpoint=endpoint: ours(client, endpoint, rows * len(urls)), rows * len(urls))[0])
            endpoint = Endpoint(model="m", urls=urls[:1], concurrency=concurrency)
            one.append(timed(lambda endpoint=endpoint: ours(client, endpoint, rows), rows)[0])
    shares = [all_of / len(urls) / single for all_of, single in zip(many, one, strict=True)]
    return {
        "replicas": len(urls),
        "all_rows_per_s": round(statistics.median(many)),
        "one_rows_per_s": round(statistics.median(one)),
        "share_of_so_many_times_one": round(statistics.median(shares), 3),
    }


def _alone() -> bool:
    """Run this process, and what it starts from now on, in real time; whether the system allows it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO)))
    except PermissionError:
        return False
    return True


def main() -> None:
    """Run the pairs and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    look_seldom()  # as a night does
    alone = _alone()
    with ExitStack() as stack:
        urls = tuple(stack.enter_context(stub(given.delay_ms)) for _ in range(given.replicas))
        if given.replicas > 1:
            figures = _beside_one(urls, given.rows, given.pairs, given.concurrency)
        else:
            figures = _beside_bare(urls[0], given.rows, given.pairs, given.concurrency, given.delay_ms)
    asked = {key: getattr(given, key) for key in ("rows", "pairs", "delay_ms", "concurrency")}
    figures = {**asked, **figures, "alone": alone, "load_1min": os.getloadavg()[0]}
    lines = [f"{key:28}{value}" for key, value in figures.items()]
    print(orjson.dumps(figures).decode() if given.json else "\n".join(lines))


if __name__ == "__main__":
    main()
