"""A night beside Curator 0.1.31, the fastest peer that we know: the same rows, the same scripted server, by turns.

`python -m benchmarks.curator_beside [--rows 5000] [--rounds 3] [--delay-ms 0] [--concurrency 64] [--venv FOLDER]`

Curator comes from the package index into an environment of its own (made if `--venv` is left out), offline but for
that, telemetry off. Both are whole programs, from launch to exit; the server's own count, looked at every 20 ms, tells
when the first request came and how fast they came between 2% and 98% of the rows. Wanted: ten times its rows a second
while generating, a first request no later than its own, and at 100,000 rows an eighth of its time end to end.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from benchmarks.word_problems import word_problems
from blocks.server_process import free_port

_WANTED = "bespokelabs-curator==0.1.31"
_RECIPE = """
name: ours
store: {folder}/runs-{number}
serve: {{engine: endpoint, concurrency: {concurrency}}}
teachers: [{{name: echo, model: echo, urls: ["{url}"]}}]
pool: {{file: questions.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: prompt.txt, chunk_rows: 1000}}
"""
_CURATOR = """
import json, sys
from bespokelabs import curator
from datasets import Dataset

class Asked(curator.LLM):
    def prompt(self, row):
        return row["problem"]
    def parse(self, row, response):
        return {"problem": row["problem"], "answer": response}

file, url, concurrency = sys.argv[1:]
rows = [{"problem": json.loads(line)["problem"]} for line in open(file)]
limits = {"max_requests_per_minute": 10**9, "max_tokens_per_minute": 10**12}
limits["max_concurrent_requests"] = int(concurrency)
asked = Asked(model_name="echo", backend="openai", backend_params={"base_url": url, **limits})
assert len(asked(Dataset.from_list(rows)).dataset) == len(rows)
"""
_LOOK_EVERY_S = 0.02


class Run(NamedTuple):
    """Seconds to the first request, rows per second between 2% and 98% of them, seconds in all, of wall and of CPU."""

    first_s: float
    rows_s: float
    whole_s: float
    cpu_s: float


def main() -> None:
    """Run the rounds and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--venv", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="curator-")))
        url = stack.enter_context(_server(folder / "script.json", given.delay_ms))
        python = _environment(given.venv or folder / "venv")
        (folder / "prompt.txt").write_text("[user]\n$question\n")
        (folder / "questions.jsonl").write_bytes(
            b"".join(orjson.dumps(row) + b"\n" for row in word_problems(given.rows))
        )
        (folder / "curator.py").write_text(_CURATOR)
        found: dict[str, list[Run]] = {"ours": [], "curator": []}
        for number in range(given.rounds):
            (folder / "ours.yaml").write_text(_RECIPE.format(**vars(given), folder=folder, url=url, number=number))
            ours = [sys.executable, "-m", "flows.cli", "run", str(folder / "ours.yaml")]
            found["ours"].append(_run(ours, {}, url, given.rows, folder / "ours.log"))
            theirs = [str(python), str(folder / "curator.py"), str(folder / "questions.jsonl"), url]
            settings = _settings(python, folder / f"cache-{number}")
            command = [*theirs, str(given.concurrency)]
            found["curator"].append(_run(command, settings, url, given.rows, folder / "curator.log"))
    _show(given.rows, found)


def _show(rows: int, found: Mapping[str, Sequence[Run]]) -> None:
    for name, runs in found.items():
        first, rate, whole, cpu = (statistics.median(run[i] for run in runs) for i in range(4))
        in_all = f"{rows:,} rows in {whole:.1f} s, {cpu:.1f} s of CPU"
        print(f"{name:8} first request {first:.1f} s, {rate:,.0f} rows/s, {in_all}")
    pairs = list(zip(found["ours"], found["curator"], strict=True))
    faster = statistics.median(ours.rows_s / theirs.rows_s for ours, theirs in pairs)
    sooner = statistics.median(ours.first_s / theirs.first_s for ours, theirs in pairs)
    whole = statistics.median(theirs.whole_s / ours.whole_s for ours, theirs in pairs)
    print(f"ours generates {faster:.1f} times as fast, its first request takes {sooner:.2f} of the time; "
          f"end to end {whole:.1f} times as fast")  # fmt: skip


def _environment(folder: Path) -> Path:
    """Python of an environment that has Curator."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(["uv", "pip", "install", "--python", str(python), _WANTED], check=True)
    return python


def _settings(python: Path, cache: Path) -> dict[str, str]:
    """Nothing is sent anywhere, and the tokenizer that it would fetch is the one that litellm brings."""
    [tokenizers] = python.parents[1].glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers")
    return {
        "TELEMETRY_ENABLED": "false", "CURATOR_DISABLE_RICH_DISPLAY": "1", "CURATOR_CACHE_DIR": str(cache),
        "HF_HUB_OFFLINE": "1", "HF_HOME": str(cache / "hf"), "TIKTOKEN_CACHE_DIR": str(tokenizers),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENAI_API_KEY": "none", "PYTHONPATH": "",
    }  # fmt: skip


@contextmanager
def _server(script: Path, delay_ms: float) -> Iterator[str]:
    port = free_port()
    latency = {"latency_s": {"mean": delay_ms / 1000}}
    script.write_bytes(orjson.dumps({"behaviour": "echo", "models": {"echo": latency}}))
    command = [sys.executable, "-m", "blocks.scripted", "--port", str(port), "--script", str(script)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        server.stderr.readline()
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _run(command: list[str], settings: Mapping[str, str], url: str, rows: int, log: Path) -> Run:
    before, marks, cpu_s = _requests(url), [], _cpu_s()
    began = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=file, stderr=file)
    while process.poll() is None:
        marks.append((time.perf_counter() - began, _requests(url) - before))
        time.sleep(_LOOK_EVERY_S)
    whole_s = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{command[:3]} ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    # Curator sends one more at its start, to look for rate limits.
    first_s = next(at for at, count in marks if count > 1)
    low, high = (next((at, count) for at, count in marks if count >= rows * share) for share in (0.02, 0.98))
    return Run(first_s, (high[1] - low[1]) / (high[0] - low[0]), whole_s, _cpu_s() - cpu_s)


def _cpu_s() -> float:
    """CPU seconds of all that has run and ended: what others do to the clock is no part of it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _requests(url: str) -> int:
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/stats") as answer:
        return orjson.loads(answer.read())["total"]


if __name__ == "__main__":
    main()
