"""What Prefect costs a night: `python -m benchmarks.orchestration [--chunks 50] [--rows 5000] [--rounds 5]`.

In one process with its own Prefect server, in turn: the phase as a night runs it (rows asked of a scripted server
without delay, chunk by chunk), the same asks without Prefect and chunks, and a bare flow of as many tasks that do
nothing.
Reported per chunk: (phase - asks - bare tasks) / chunks; wanted are 20 ms at most.

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
_STARTED = "from pathlib import Path; from flows.cli.by_itself import by_itself\nwith by_itself(Path({folder!r})): pass"


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
    times: dict[str, list[float]] = {"phase": [], "asks": [], "tasks": []}
    with by_itself(folder / "prefect"):
        from flows.phase import run_phase

        for number in range(rounds):
            night = _night(folder, f"round-{number}", url, rows // chunks)
            night.begin()
            ledger = Ledger(night.dir)
            run_phase(night, ledger, STEPS["pool"])
            served = Endpoint(model="echo", urls=(url,), concurrency=64)
            times["phase"].append(_seconds(lambda: _phase(night, ledger, served)))  # noqa: B023
            times["asks"].append(_seconds(lambda: _asks(night, served)))  # noqa: B023
            times["tasks"].append(_seconds(lambda: _bare(chunks)))
    each = [(a - b - c) / chunks * 1000 for a, b, c in zip(*times.values(), strict=True)]
    shown = ", ".join(f"{name} {statistics.median(found):.2f} s" for name, found in times.items())
    print(f"{chunks} chunks of {rows // chunks} rows, medians of {rounds}: {shown}")
    print(
        f"per chunk beyond bare tasks and asking: {statistics.median(each):.1f} ms ({min(each):.1f} to {max(each):.1f})"
    )


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


def _phase(night: Night, ledger: Ledger, endpoint: Endpoint) -> None:
    from flows.phase import run_phase

    run_phase(night, ledger, STEPS["answers"], _Served(endpoint))  # pyright: ignore[reportArgumentType]
    assert len(night.made(answers.chunks(night))) == len(answers.chunks(night))


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
        ours.append(_seconds(lambda: _until_reply(command, night)))  # noqa: B023
        started = _STARTED.format(folder=str(folder / f"bare-{number}"))
        bare.append(_seconds(lambda: subprocess.run([sys.executable, "-c", started], check=True)))  # noqa: B023
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


def _seconds(what: object) -> float:
    began = time.perf_counter()
    assert callable(what)
    what()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
