"""What Prefect costs a night: `python -m benchmarks.orchestration [--chunks 50] [--rows 5000] [--rounds 5]`.

In one process with its own Prefect server, in turn: the phase as a night runs it (rows asked of a scripted server
without delay, chunk by chunk), as many chunks made in as many threads without Prefect, the same asks without chunks,
and a bare flow of as many tasks that do nothing.
Reported per chunk, in wall and CPU time of this process: Prefect's cost, (phase - chunks - bare tasks) / chunks, of
which 20 ms are wanted at most; and with it what a chunk costs beyond its asks (rows built, journalled, read, packed,
synced), (phase - asks - bare tasks) / chunks.

Then the first request: from the start of `nightschool run` to the first reply on file, over the time that importing
Prefect and starting its server takes by itself; wanted is twice at most.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.word_problems import word_problems
from blocks.client import client
from blocks.server_process import free_port
from flows.cli.by_itself import by_itself
from nightschool.answers import ask_open
from nightschool.chunks import Chunk
from nightschool.recipe.load import load_recipe
from nightschool.records import Question
from nightschool.wire import Endpoint
from tasks import answers, pool
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.steps import STEPS

_RECIPE = """
name: {name}
store: {folder}/runs
serve: {{engine: endpoint, concurrency: 64}}
teachers: [{{name: echo, model: echo, urls: ["{url}"]}}]
pool: {{file: questions.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: prompt.txt, chunk_rows: {chunk_rows}}}
"""
_STARTED = (
    "from pathlib import Path; from flows.cli.by_itself import by_itself\n"
    "with by_itself() as ready, ready(Path({folder!r})): pass"
)


def main() -> None:
    """Measure both and print one line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orchestration", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestration-") as made:
        folder, port = Path(made), free_port()
        (folder / "prompt.txt").write_text("[user]\n$question\n")
        lines = (orjson.dumps(row) + b"\n" for row in word_problems(given.rows))
        (folder / "questions.jsonl").write_bytes(b"".join(lines))
        serve = [sys.executable, "-m", "blocks.scripted", "--port", str(port), "--name", "echo", "--behaviour", "echo"]
        with subprocess.Popen(serve, stderr=subprocess.PIPE) as server:
            assert server.stderr is not None
            server.stderr.readline()
            try:
                url = f"http://127.0.0.1:{port}/v1"
                _chunks(folder, url, given.rows, given.chunks, given.rounds)
                _first_request(folder, url, given.rounds)
            finally:
                server.terminate()


def _night(folder: Path, name: str, url: str, chunk_rows: int) -> Night:
    path = folder / f"{name}.yaml"
    path.write_text(_RECIPE.format(name=name, folder=folder, url=url, chunk_rows=chunk_rows))
    # A seed of its own: nothing of another round is found in the store.
    return Night.plan(load_recipe(path, sets=[f"seed={zlib.crc32(name.encode()) >> 1}"]))


def _chunks(folder: Path, url: str, rows: int, chunks: int, rounds: int) -> None:
    times: dict[str, list[Times]] = {"phase": [], "chunks": [], "asks": [], "tasks": []}
    with by_itself() as ready, ready(folder / "prefect"):
        from flows.phase import run_phase

        for number in range(rounds):
            served = Endpoint(model="echo", urls=(url,), concurrency=64)
            for way, make in (("phase", _phase), ("chunks", _made)):
                night = _night(folder, f"{way}-{number}", url, rows // chunks)
                night.begin()
                run_phase(night, Ledger(night.dir), STEPS["pool"])
                times[way].append(_times(lambda: make(night, served)))  # noqa: B023
            times["asks"].append(_times(lambda: _asks(night, served)))  # noqa: B023
            times["tasks"].append(_times(lambda: _bare(chunks)))
    found = [f"{name} {_median(one.wall for one in each):.2f} s" for name, each in times.items()]
    print(f"{chunks} chunks of {rows // chunks} rows, medians of {rounds}: {', '.join(found)}")
    _per_chunk("Prefect, beyond bare tasks", "chunks", times, chunks)
    _per_chunk("all, beyond bare tasks and asks", "asks", times, chunks)


class Times(NamedTuple):
    """Seconds of wall and of CPU, all threads of this process together."""

    wall: float
    cpu: float


def _per_chunk(name: str, without: str, times: dict[str, list[Times]], chunks: int) -> None:
    rounds = list(zip(times["phase"], times[without], times["tasks"], strict=True))
    wall, cpu = ([(phase[i] - other[i] - bare[i]) / chunks * 1000 for phase, other, bare in rounds] for i in (0, 1))
    spread = f"{min(wall):.1f} to {max(wall):.1f}"
    print(f"per chunk, {name}: {_median(wall):.1f} ms ({spread}), of CPU {_median(cpu):.1f} ms")


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


class _Served:
    """A desk whose server is up already."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def names(self, chunks: Sequence[Chunk]) -> str:
        return "echo"

    def batches(self, chunks: Sequence[Chunk]) -> list[list[Chunk]]:
        return [list(chunks)]

    def served(self, chunks: Sequence[Chunk]) -> dict[str, Endpoint]:
        return {"echo": self._endpoint}


def _phase(night: Night, endpoint: Endpoint) -> None:
    from flows.phase import run_phase

    run_phase(night, Ledger(night.dir), STEPS["answers"], _Served(endpoint))  # pyright: ignore[reportArgumentType]
    assert len(night.made(answers.chunks(night))) == len(answers.chunks(night))


def _made(night: Night, endpoint: Endpoint) -> None:
    """The same without Prefect: the task's function, in as many threads."""
    from tasks.chunk import make_chunk

    def make(chunk: Chunk) -> None:
        make_chunk.fn(night.store.place, night.name, night.stamp, chunk, {"echo": endpoint})

    with ThreadPoolExecutor(STEPS["answers"].at_once(night)) as threads:
        list(threads.map(make, answers.chunks(night)))


def _asks(night: Night, endpoint: Endpoint) -> None:
    section = night.recipe.answers
    asks = [
        ask_open(question, prompt=section.prompt, sampling=section.sampling, seed=number)
        for number, question in enumerate(night.rows(pool.chunks(night), Question))
    ]
    failed: list[str] = []
    client().ask_all(endpoint, asks, lambda reply: None, lambda ask, reason, attempts, text: failed.append(reason))
    assert not failed


def _bare(chunks: int) -> None:
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import as_completed
    from prefect.task_runners import ThreadPoolTaskRunner

    @task(cache_policy=NO_CACHE)
    def nothing(number: int) -> int:
        return number

    runner: Any = ThreadPoolTaskRunner(max_workers=4)

    @flow(name="bare", task_runner=runner)
    def bare() -> None:
        for future in as_completed([nothing.submit(number) for number in range(chunks)]):
            future.wait()

    bare()


def _first_request(folder: Path, url: str, rounds: int) -> None:
    ours, bare = [], []
    for number in range(rounds):
        night = _night(folder, f"first-{number}", url, 100)
        command = [sys.executable, "-m", "flows.cli", "run", str(folder / f"first-{number}.yaml"), "--set"]
        command += [f"seed={night.recipe.seed}"]
        ours.append(_times(lambda: _until_reply(command, night)).wall)  # noqa: B023
        started = _STARTED.format(folder=str(folder / f"bare-{number}"))
        bare.append(_times(lambda: subprocess.run([sys.executable, "-c", started], check=True)).wall)  # noqa: B023
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    print(
        f"first reply after {statistics.median(ours):.1f} s; Prefect and its server alone "
        f"{statistics.median(bare):.1f} s; ratio {ratio:.2f}"
    )


def _until_reply(command: list[str], night: Night) -> None:
    """Until the first journal of the phase holds something; the night is ended then."""
    folder = night.store.root / "answers" / night.keys["answers/echo"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not any(path.stat().st_size for path in folder.glob("*.journal.jsonl*")):
            if process.poll() not in (None, 0):
                sys.exit(f"the night ended with {process.returncode} before its first reply")
            time.sleep(0.02)
        process.terminate()


def _times(what: Callable[[], object]) -> Times:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main()
