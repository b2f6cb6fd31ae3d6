"""The same scripted night under threads, processes, Ray and Dask: wall time against threads, and the same rows.

Word problems are answered in free text by scripted teachers that take a tenth of a second, then read, ruled on and
filtered: the phases that a runner may make elsewhere. In each round every runner has its turn, on a store of its own.
What is timed has the start of the runner's processes in it, as a night has; ratios are medians of a round's ratios.

    python -m benchmarks.runners [--rows 4000] [--chunks 16] [--workers 2] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks.word_problems import word_problems
from blocks.store import ROWS
from flows.cli.by_itself import by_itself
from nightschool.recipe.load import load_recipe
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.serving import teachers
from tasks.steps import STEPS

KINDS = ("threads", "processes", "ray", "dask")
PHASES = ("pool", "answers", "merge", "committee", "filters")
_MODEL = "{{name: {name}, model: {name}, script: {{behaviour: maths, models: {{{name}: {{latency_s: {{mean: 0.1}}}}}}, \
answers: {{file: questions.jsonl, fields: {{question: problem, answer: answer}}}}}}}}"
_RECIPE = """
name: {name}
store: {folder}/{name}
runner: {runner}
serve: {{engine: scripted, concurrency: 32}}
teachers: [{alba}, {bruno}]
pool: {{file: questions.jsonl, fields: {{question: problem, answer: answer}}}}
answers: {{reply: text, value: number, prompt: prompt.txt, chunk_rows: {chunk_rows}}}
committee: {{quorum: 1, min_agreement: 0.5, verifier: truth}}
filters: {{}}
"""


def main() -> None:
    """Run the rounds and print a line for each runner."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    took: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    made: set[frozenset[tuple[str, str]]] = set()
    with tempfile.TemporaryDirectory(prefix="runners-") as place, by_itself() as ready:
        folder = Path(place)
        with ready(folder):
            for number in range(given.rounds):
                for kind in KINDS:
                    night = _night(folder, f"{kind}-{number}", kind, given)
                    took[kind].append(_run(night))
                    made.add(_rows(night))
    assert len(made) == 1, "not the same keys and rows under every runner"
    print(f"{given.rows} rows in {given.chunks} chunks, {given.workers} workers, medians of {given.rounds} rounds")
    for kind, rounds in took.items():
        print(_line(kind, rounds, took["threads"]))
    print(f"the same {len(made.pop())} files of rows, under the same keys, in every round")


def _line(kind: str, rounds: list[dict[str, float]], threads: list[dict[str, float]]) -> str:
    """A row of a table: the wall time, its ratio to that of threads, and what each phase took."""
    whole = [sum(one.values()) for one in rounds]
    ratio = statistics.median(mine / sum(other.values()) for mine, other in zip(whole, threads, strict=True))
    each = ", ".join(f"{name} {statistics.median(one[name] for one in rounds):.1f}" for name in rounds[0])
    return f"| `{kind}` | {statistics.median(whole):.1f} s | {ratio:.2f} | {each} |"


def _night(folder: Path, name: str, kind: str, given: argparse.Namespace) -> Night:
    (folder / "prompt.txt").write_text("[user]\n$question\n")
    (folder / "questions.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in word_problems(given.rows)))
    runner = kind if kind == "threads" else f"{{kind: {kind}, workers: {given.workers}}}"
    models = {who: _MODEL.format(name=who) for who in ("alba", "bruno")}
    path = folder / f"{name}.yaml"
    path.write_text(
        _RECIPE.format(name=name, folder=folder, runner=runner, chunk_rows=given.rows // given.chunks, **models)
    )
    night = Night.plan(load_recipe(path))
    night.begin()
    return night


def _run(night: Night) -> dict[str, float]:
    """The phases, as a night has them; what each took, and what lay between them."""
    from prefect import flow

    from flows.phase import run_phase
    from flows.runners import cluster

    ledger = Ledger(night.dir)

    @flow(name="runners")
    def phases() -> None:
        with cluster(night.recipe), teachers(night, ledger) as served:
            for phase in PHASES:
                run_phase(night, ledger, STEPS[phase], served if phase == "answers" else None)

    began = time.perf_counter()
    phases()
    whole = time.perf_counter() - began
    found = {one.name: one.seconds for one in ledger.run.phases}
    return found | {"beside": whole - sum(found.values())}


def _rows(night: Night) -> frozenset[tuple[str, str]]:
    """Every file of rows by where it lies, and its digest."""
    return frozenset(
        (f"{chunk.phase}/{chunk.key}/{chunk.index}/{name}", mark.content)
        for phase in PHASES
        for chunk, manifest in night.made(STEPS[phase].chunks(night))
        for name, mark in manifest.files.items()
        if name.endswith(ROWS)
    )


if __name__ == "__main__":
    main()
