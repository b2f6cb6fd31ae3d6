"""Plan 004's solutions merged and marked, and only rewritten: `python -m benchmarks.plan004_data [ROWS]`.

ROWS solutions (640,000: 40,000 questions x 2 models x 8) of about 1.5 KB lie in a store as the answers phase writes
them. Each way is a process of its own, measured by its CPU seconds and its most memory:

- `copy`: each chunk unpacked, each line through orjson.loads and orjson.dumps, packed again by the same functions;
- `store`: the same through the store, which checks what it reads against a manifest and writes one;
- `pyarrow`: pyarrow.json reads each chunk's JSON lines, and writes them as a Parquet file in zstd;
- then our phases, by the steps that a night runs, each line with those before it: merge (values and marks), committee
  (votes), filters (consistency).
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

import orjson

from blocks.memory import look_seldom
from blocks.packed import pack, unpack
from nightschool.chunks import Chunk
from nightschool.recipe.load import load_recipe
from tasks import answers, pool
from tasks.night import Night
from tasks.steps import STEPS

_MODELS, _SAMPLES, _CHARS = ("qwen25", "qwen3"), 8, 1_440
# Plan 004's number of questions; what is beyond has the same texts once more.
_DISTINCT = 40_000
_RECIPE = """
name: size
store: {folder}/runs
serve: {{engine: scripted}}
teachers: [{{name: qwen25, model: a}}, {{name: qwen3, model: b}}]
pool: {{file: questions.jsonl, fields: {{question: problem, answer: answer}}}}
answers: {{reply: text, value: latex, prompt: p.txt, samples: 8, chunk_rows: 1000}}
filters: {{consistency: {{drop: [all_right, all_wrong]}}}}
"""
_WORDS = """the of a we find that so then sum and is equal to by substituting this into equation gives value number x y
integer hence therefore note since must have possible divide both sides remaining triangle angle probability f(x) total
ways choose from set let be first second solve for get using fact which means can write as"""


def make(folder: Path, rows: int) -> None:
    """A night's questions and both models' solutions; text packs to about a quarter, as real solutions do."""
    rng = random.Random(0)
    questions = rows // (len(_MODELS) * _SAMPLES)
    sentences = [_sentence(rng) for _ in range(20_000)]
    (folder / "p.txt").write_text("[user]\nSolve: $question\n")
    (folder / "recipe.yaml").write_text(_RECIPE.format(folder=folder))
    truths = [rng.randint(1, 999) for _ in range(min(questions, _DISTINCT))]
    with (folder / "questions.jsonl").open("wb") as file:
        for number in range(questions):
            truth = truths[number % _DISTINCT]
            problem = f"Problem {number}: {''.join(rng.choices(sentences, k=2))}"
            file.write(orjson.dumps({"problem": problem, "answer": str(truth), "level": 3}) + b"\n")
    night = Night.plan(load_recipe(folder / "recipe.yaml"))
    night.begin()
    for chunk in pool.chunks(night):
        commit(night, chunk)
    asked = (orjson.loads(line)["id"] for chunk in pool.chunks(night) for line in night.store.lines(chunk))
    ids = list(asked)
    first: dict[tuple[str, int], Chunk] = {}
    for chunk in answers.chunks(night):
        start = chunk.index * night.recipe.answers.chunk_rows
        if start < _DISTINCT:
            first[chunk.part, chunk.index] = chunk
            run = range(start, start + chunk.rows)
            lines = [_solutions(rng, ids[at], chunk.part, truths[at], sentences) for at in run]
        else:
            again = night.store.lines(first[chunk.part, chunk.index % (_DISTINCT // night.recipe.answers.chunk_rows)])
            lines = [_under(ids[start + place], line) for place, line in enumerate(islice(again, chunk.rows))]
        night.store.commit(chunk, rows=lines, dropped=[], figures={})


def _under(row_id: str, line: bytes) -> bytes:
    """The same solutions to another question."""
    return b'{"id":"%b"%b' % (row_id.encode(), line[line.index(b',"teacher"') :])


def _sentence(rng: random.Random) -> str:
    a, b, c = (rng.randint(2, 99_999) for _ in range(3))
    ends = (f" $x = \\frac{{{a}}}{{{b}}}$.\n\n", f" ${a} + {b} = {c}$. ", ". ", f" \\[ {a}^2 - {b} = {c} \\]\n")
    return " ".join(rng.choices(_WORDS.split(), k=rng.randint(8, 16))) + rng.choice(ends)


def _solutions(rng: random.Random, row_id: str, teacher: str, truth: int, sentences: list[str]) -> bytes:
    """Five in eight right; the others within two of the truth, so that votes are close now and then."""
    said: list[dict[str, str | None]] = []
    for _ in range(_SAMPLES):
        text = ""
        while len(text) < _CHARS:
            text += rng.choice(sentences)
        value = truth if rng.random() < 0.625 else truth + rng.choice((-2, -1, 1, 2))
        said.append({"text": f"{text}So the answer is $\\boxed{{{value}}}$.", "finish": "stop", "reasoning": None})
    return orjson.dumps({"id": row_id, "teacher": teacher, "said": said}) + b"\n"


def opened(folder: Path) -> Night:
    """The night of this folder, as whoever makes one of its chunks opens it."""
    return Night.open(folder / "runs", "size")


def commit(night: Night, chunk: Chunk) -> None:
    """Makes a chunk as a night does."""
    made = STEPS[chunk.phase].make(night, chunk, {})
    night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures, files=made.files)


def copy(folder: Path) -> None:
    """The least that anyone must do who parses the rows and writes them again."""
    night = opened(folder)
    for chunk in answers.chunks(night):
        lines = [orjson.dumps(orjson.loads(line)) + b"\n" for line in unpack(night.store.path(chunk, "rows.jsonl.zst"))]
        (folder / f"copy-{chunk.ordinal}.zst").write_bytes(pack(lines))


def store(folder: Path) -> None:
    """The same with the store's checks."""
    night = opened(folder)
    for chunk in answers.chunks(night):
        copied = Chunk("copy", chunk.key, chunk.index, chunk.ordinal, chunk.label)
        rows = [orjson.dumps(orjson.loads(line)) + b"\n" for line in night.read([chunk], bytes)]
        night.store.commit(copied, rows=rows, dropped=[], figures={})


def pyarrow(folder: Path) -> None:
    """What a table library takes for it."""
    from pyarrow import json, parquet

    night = opened(folder)
    for chunk in answers.chunks(night):
        lines = b"".join(unpack(night.store.path(chunk, "rows.jsonl.zst")))
        table = json.read_json(BytesIO(lines), read_options=json.ReadOptions(use_threads=False, block_size=64 << 20))
        parquet.write_table(table, folder / f"copy-{chunk.ordinal}.parquet", compression="zstd")


def phases(folder: Path) -> Iterator[str]:
    """Merge and what follows it, as far as the recipe goes."""
    order, night = list(STEPS), opened(folder)
    for phase in order[order.index("merge") :]:
        chunks = STEPS[phase].chunks(night)
        for chunk in chunks:
            commit(night, chunk)
        if chunks:
            yield phase


def main() -> None:
    """Make the rows, run every way in a process of its own, print them beside the copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=640_000)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--way", choices=("copy", "store", "pyarrow", "ours", "make"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        _run(given.way, given.folder, given.rows)
        return
    with tempfile.TemporaryDirectory(prefix="plan004-", dir=given.folder) as made:
        _alone("make", Path(made), given.rows)
        took: dict[str, float] = {}
        for way in ("copy", "store", "pyarrow", "ours"):
            for name, cpu_s, wall_s, peak_mb in _alone(way, Path(made), given.rows):
                took[name] = float(cpu_s)
                print(f"{given.rows:>12,} rows  {name:<12} {cpu_s:>8} CPU s  {wall_s:>8} s  {peak_mb:>6} MB  "
                      f"{took[name] / took['copy']:.2f} of copy", flush=True)  # fmt: skip


def _alone(way: str, folder: Path, rows: int) -> list[list[str]]:
    command = [sys.executable, "-m", "benchmarks.plan004_data", str(rows), "--folder", str(folder), "--way", way]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def _run(way: str, folder: Path, rows: int) -> None:
    look_seldom()  # as a night does
    began, cpu = time.perf_counter(), time.process_time()

    def told(name: str) -> None:
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}\t{time.process_time() - cpu:.2f}\t{time.perf_counter() - began:.2f}\t{peak_mb:.0f}", flush=True)

    if way == "ours":
        for phase in phases(folder):
            told(f"..{phase}")
    elif way == "make":
        make(folder, rows)
    else:
        {"copy": copy, "store": store, "pyarrow": pyarrow}[way](folder)
        told(way)


if __name__ == "__main__":
    main()
