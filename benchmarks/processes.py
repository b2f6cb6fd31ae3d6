"""Chunks over processes: rows per second with one client process and with several, by turns, on the same stub servers.

`python -m benchmarks.processes [--rows 10000] [--processes 2] [--servers 2] [--rounds 5] [--delay-ms 0]`

What is timed is all that a night does to a chunk, without Prefect (tasks/crew.py), once the processes are up. Every
round's rows must be the same, byte by byte, however many processes made them. A machine's cores bound the ratio, the
stubs want theirs too: `possible` is what dividing the measured CPU (clients, stubs) over all cores would give.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import orjson
import psutil

from benchmarks.stub import stub
from benchmarks.word_problems import word_problems
from nightschool.recipe.load import load_recipe
from nightschool.wire import Endpoint
from tasks import crew, pool
from tasks.making import Job, make
from tasks.night import Night
from tasks.steps import STEPS

_RECIPE = """
name: {name}
store: {folder}/{name}
serve: {{engine: endpoint}}
teachers: [{{name: m, model: m, urls: {urls}}}]
pool: {{file: questions.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: prompt.txt, chunk_rows: 200}}
"""


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="processes-")))
        urls = [stack.enter_context(stub(given.delay_ms)) for _ in range(given.servers)]
        served = {"m": Endpoint(model="m", urls=tuple(urls), concurrency=64)}
        stubs = [one for one in psutil.Process().children() if one.name() == "stub"]
        found: dict[int, list[tuple[float, float]]] = {1: [], given.processes: []}
        digests: set[str] = set()
        for number in range(given.rounds):
            for count in found:
                warm = _night(folder, f"warm-{number}-{count}", urls, 8 * given.processes)
                night = _night(folder, f"round-{number}-{count}", urls, given.rows)
                with crew.crew(count, served, folder):
                    _made(warm, served)
                    began, cpu = time.perf_counter(), _cpu_s(stubs)
                    _made(night, served)
                    found[count].append((time.perf_counter() - began, _cpu_s(stubs) - cpu))
                digests.add(_content(night))
        assert len(digests) == 1, "other rows than with one process"
        _show(given.rows, found)


def _show(rows: int, found: dict[int, list[tuple[float, float]]]) -> None:
    one, several = found.values()
    cores = os.cpu_count() or 1
    ratio = statistics.median(a / b for (a, _), (b, _) in zip(one, several, strict=True))
    possible = statistics.median(a / (cpu / cores) for (a, _), (_, cpu) in zip(one, several, strict=True))
    for count, times in found.items():
        wall, cpu = (statistics.median(each[i] for each in times) for i in (0, 1))
        print(f"{count} processes: {rows / wall:,.0f} rows/s, {cpu / rows * 1e6:.0f} us of CPU a row with the servers'")
    print(f"ratio {ratio:.2f}; possible on {cores} cores {possible:.2f}; the same rows in every round")


def _night(folder: Path, name: str, urls: Sequence[str], rows: int) -> Night:
    (folder / "prompt.txt").write_text("[user]\n$question\n")
    (folder / "questions.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in word_problems(rows)))
    path = folder / f"{name}.yaml"
    path.write_text(_RECIPE.format(name=name, folder=folder, urls=list(urls)))
    night = Night.plan(load_recipe(path, sets=["answers.chunk_rows=8"] if name.startswith("warm") else []))
    night.begin()
    for chunk in pool.chunks(night):
        make(Job(night.store.place, night.name, night.stamp, chunk, {}))
    return night


def _made(night: Night, served: dict[str, Endpoint]) -> None:
    chunks = STEPS["answers"].chunks(night)
    with ThreadPoolExecutor(STEPS["answers"].at_once(night)) as threads:
        jobs = [Job(night.store.place, night.name, night.stamp, chunk, served) for chunk in chunks]
        assert all(outcome.name == "Completed" for outcome in threads.map(crew.make_by_crew, jobs))


def _cpu_s(stubs: Sequence[psutil.Process]) -> float:
    """CPU seconds of this process, the stubs and the crew so far; the crew's are ours once they have ended."""
    processes = [*stubs, *(one for one in psutil.Process().children() if "tasks.crew_worker" in one.cmdline())]
    used = resource.getrusage(resource.RUSAGE_SELF)
    times = [one.cpu_times() for one in processes]
    return used.ru_utime + used.ru_stime + sum(each.user + each.system for each in times)


def _content(night: Night) -> str:
    made = night.made(STEPS["answers"].chunks(night))
    return "".join(mark.content for _, one in made for name, mark in sorted(one.files.items()) if ".rows." in name)


if __name__ == "__main__":
    main()
