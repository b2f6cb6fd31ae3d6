"""Plan 004's example at full size on scripted servers: `python -m benchmarks.plan004`.

40,000 questions, 8 solutions each by each of 2 models, in chunks of 1,000 over 8 replicas; then one chunk is made anew,
alone; then every row of the merge is held against the file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from benchmarks.word_problems import word_problems
from nightschool.solved import Solved
from tasks import answers, merge
from tasks.night import Night
from tasks.report import Report

_LOST = 17


def main() -> None:
    """Run it, lose a chunk, run again, check; exit code 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan004", description=__doc__)
    parser.add_argument("--questions", type=int, default=40_000)
    parser.add_argument("--replicas", type=int, default=8, help="of each model")
    parser.add_argument("--chunk-rows", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plan004-") as made:
        folder: Path = given.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "questions.jsonl"
        file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in word_problems(given.questions)))
        sets = [f"pool.file={file}", f"answers.chunk_rows={given.chunk_rows}", f"serve.replicas={given.replicas}"]
        sets += ["serve.engine=scripted", f"store={folder / 'runs'}", f"teachers={json.dumps(_teachers(file))}"]
        _command("run", "critique", *(part for one in sets for part in ("--set", one)))
        night = Night.open(folder / "runs", "critique")
        _check(night, file)
        before = _sent(night)
        _command("rerun", "critique", "--store", str(night.store.root), "--phase", "answers", "--chunk", str(_LOST),
                 "--fresh")  # fmt: skip
        again, lost = _sent(night), answers.chunks(night)[_LOST].rows
        print(f"first run {before:,} requests; chunk {_LOST} made anew: {again:,} requests for its {lost:,} rows")
        _check(night, file)
        if (before, again) != (2 * given.questions, lost):
            sys.exit("more or fewer requests than rows")


def _teachers(file: Path) -> list[dict[str, object]]:
    """The recipe's two, scripted: each right at a rate of its own."""
    known = {"file": str(file), "fields": {"question": "problem", "answer": "answer"}}
    rates = {"qwen25": ("Qwen/Qwen2.5-Math-7B", 0.7), "qwen3": ("Qwen/Qwen3-4B-Base", 0.5)}
    return [
        {
            "name": name,
            "model": model,
            "script": {"behaviour": "maths", "answers": known, "models": {name: {"accuracy": rate}}},
        }
        for name, (model, rate) in rates.items()
    ]


def _command(*words: str) -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "flows.cli", *words], check=True)
    print(f"\nnightschool {words[0]}: {time.monotonic() - began:.0f} s\n", flush=True)


def _sent(night: Night) -> int:
    return Report.model_validate_json((night.dir / "report.json").read_bytes()).requests.sent


def _check(night: Night, file: Path) -> None:
    """Every question of the file, in its order, with eight solutions of each model."""
    with file.open("rb") as lines:
        for chunk in merge.chunks(night):
            rows = night.read([chunk], Solved.model_validate_json)
            for row, said in merge.texts(night, chunk, rows):
                asked = orjson.loads(next(lines))
                counts = {name: len(each.values) for name, each in row.solutions.items()}
                wrote = {name: len(line.texts) for name, line in said.items()}
                if row.question.fields != asked or counts != wrote or counts != {"qwen25": 8, "qwen3": 8}:
                    sys.exit(f"{chunk.label}: question {asked['id']} is not as it was asked: {row}")
        if next(lines, None) is not None:
            sys.exit("the merge is shorter than the file")
    print("the merge has every question once, in the file's order, with eight solutions of each model")


if __name__ == "__main__":
    main()
