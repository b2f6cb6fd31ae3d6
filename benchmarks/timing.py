"""Times of the same requests to the same vLLM: ours beside `vllm bench serve`, by turns.

`python -m benchmarks.timing [--rows 20] [--sentences 10] [--tokens 48] [--pairs 5] [--layers 12] [--hidden 768]`

First a server that speaks by the clock (200 ms to the first word, 20 ms from word to word), where nothing but the two
timers can differ; then vLLM with a model of random weights, so that it runs on a CPU within minutes; greedy, of one
length, no prefix cache. Wanted: the medians of the pairs on vLLM within 2%, one by one and five at once. Beside it what
a plain request takes, not streamed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from blocks.connection import Answer
from blocks.fleet import Fleet
from blocks.servers import ServerSpec
from blocks.streamed import Run, plain, stream
from nightschool.recipe.script import Latency, Script, ScriptedModel
from nightschool.timing import Heard, hear
from nightschool.wire import Endpoint
from tests.integration.random_qwen2 import make

# Their benchmark in a process of its own: arguments in as a line of JSON, figures out to a file.
_BENCH = """
import argparse, json, sys
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser()
add_cli_args(parser)
for line in sys.stdin:
    given = json.loads(line)
    found = main(parser.parse_args(given["flags"]))
    keys = [f"{stat}_{name}_ms" for name in ("ttft", "itl", "tpot", "e2el") for stat in ("mean", "median")]
    with open(given["out"], "w") as file:
        json.dump({key: found[key] for key in keys} | {"failed": found["failed"]}, file)
    print("READY", given["out"], flush=True)
"""
# Ten sentences are some 330 tokens: about as long as a contest's question with its instructions.
_DEFAULTS = {"rows": 20, "sentences": 10, "tokens": 48, "pairs": 5, "layers": 12, "hidden": 768, "threads": 1}
_PARTS = ("ttft", "itl", "tpot", "e2el")
_BY_THE_CLOCK = ScriptedModel(latency_s=Latency(mean=0.2), token_s=0.02)
_SENTENCE = "The quick brown fox jumps over a lazy dog while all mice are lions and some cats look on. "
Figures = dict[str, float]


def main() -> None:
    """Start the server and both benchmarks, take turns, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in _DEFAULTS.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--server", choices=["clock", "vllm"], help="one of the two alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="timing-") as made:
        folder = Path(made)
        base = make(folder / "base", layers=given.layers, hidden=given.hidden)
        prompts = [f"{row}: {_SENTENCE * given.sentences}" for row in range(given.rows)]
        lines = [orjson.dumps({"prompt": prompt, "output_tokens": given.tokens}) for prompt in prompts]
        (folder / "prompts.jsonl").write_bytes(b"\n".join(lines))
        spec = ServerSpec(
            name="m", engine="vllm", model=str(base), concurrency=8, max_model_len=512, max_num_seqs=8,
            enforce_eager=True, enable_prefix_caching=False, threads=given.threads, startup_timeout_s=400,
        )  # fmt: skip
        script = Script(behaviour="text", text=" ".join(["word"] * given.tokens), models={"m": _BY_THE_CLOCK})
        clock = ServerSpec(
            name="m", engine="scripted", model="m", concurrency=8, max_model_len=512, script=script.model_dump_json()
        )
        for name, (title, one) in {"clock": ("a server by the clock", clock), "vllm": ("vLLM", spec)}.items():
            if given.server in (None, name):
                _compare(title, one, prompts, folder, given)


def _compare(title: str, spec: ServerSpec, prompts: list[str], folder: Path, given: argparse.Namespace) -> None:
    """Both timers on one server."""
    with Fleet([spec], log_dir=folder, on_progress=lambda _: None) as fleet:
        endpoint = fleet.start()["m"]
        print(title)
        with _bench(endpoint, folder) as bench:
            for at_once in (1, 5):
                _pairs(endpoint, prompts, bench, at_once, given)
        bodies = [_body(endpoint, prompt, given.tokens, streamed=False) for prompt in prompts]
        whole = [one.e2el_s for one in _heard(plain(endpoint, bodies))]
        print(f"without our client, not streamed: {1000 * statistics.median(whole):.1f} ms whole (median)")


def _pairs(endpoint: Endpoint, prompts: list[str], bench: Any, at_once: int, given: argparse.Namespace) -> None:
    bodies = [_body(endpoint, prompt, given.tokens) for prompt in prompts]
    batches = [bodies[start : start + at_once] for start in range(0, len(bodies), at_once)]
    stream(endpoint, batches[:2])
    bench(at_once)
    mine: list[Figures] = []
    theirs: list[Figures] = []
    for number in range(given.pairs):
        # Who comes first takes turns: what the machine does meanwhile drifts.
        for ours in (True, False) if number % 2 else (False, True):
            if ours:
                mine.append(_figures(_heard(stream(endpoint, batches))))
            else:
                theirs.append(bench(at_once))
    print(f"{at_once} at once, {given.pairs} pairs of {given.rows} requests, {given.tokens} tokens each")
    for name in _PARTS:
        for stat in ("median", "mean"):
            key = f"{stat}_{name}_ms"
            ratios = [one[key] / other[key] for one, other in zip(mine, theirs, strict=True)]
            a, b = (statistics.median(one[key] for one in side) for side in (mine, theirs))
            apart = f"{statistics.median(ratios) - 1:+.2%} ({min(ratios) - 1:+.1%} to {max(ratios) - 1:+.1%})"
            print(f"  {stat:<6} {name:<4} ours {a:8.2f} ms, theirs {b:8.2f} ms: {apart}")


def _body(endpoint: Endpoint, prompt: str, tokens: int, *, streamed: bool = True) -> bytes:
    """The payload that theirs sends."""
    body: dict[str, Any] = {
        "model": endpoint.model, "messages": [{"role": "user", "content": [{"type": "text", "text": prompt}]}],
        "max_completion_tokens": tokens, "stream": streamed, "ignore_eos": True, "temperature": 0.0,
    }  # fmt: skip
    return orjson.dumps(body | ({"stream_options": {"include_usage": True}} if streamed else {}))


def _heard(run: Run) -> list[Heard]:
    found: list[Heard] = []
    for one in run.replies:
        if not isinstance(one.answer, Answer) or one.answer.status != 200:
            sys.exit(f"a request failed: {one.answer}")
        found.append(hear(one.answer.body, one.answer.arrived, one.sent))
    return found


def _figures(found: list[Heard]) -> Figures:
    """Ours under the names of theirs."""
    ttft = [one.ttft_s or 0.0 for one in found]
    values = {
        "ttft": ttft,
        "itl": [gap for one in found for gap in one.itl_s],
        "tpot": [(one.e2el_s - first) / (one.tokens_out - 1) for one, first in zip(found, ttft, strict=True)],
        "e2el": [one.e2el_s for one in found],
    }
    kinds = {"mean": statistics.fmean, "median": statistics.median}
    return {f"{stat}_{name}_ms": 1000 * kinds[stat](values[name]) for name in _PARTS for stat in kinds}


@contextmanager
def _bench(endpoint: Endpoint, folder: Path) -> Iterator[Any]:
    """Calls vLLM's own benchmark with so many requests at once."""
    options = {
        "backend": "openai-chat", "base-url": endpoint.urls[0].removesuffix("/v1"), "endpoint": "/v1/chat/completions",
        "model": endpoint.model, "tokenizer": str(folder / "base"), "dataset-name": "custom",
        "dataset-path": str(folder / "prompts.jsonl"), "custom-output-len": "-1", "temperature": "0",
        "percentile-metrics": "ttft,tpot,itl,e2el", "num-prompts": str(len(_lines(folder))),
    }  # fmt: skip
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += ["--skip-chat-template", "--disable-shuffle", "--ignore-eos", "--disable-tqdm"]
    env = {**os.environ, "OPENAI_API_KEY": os.environ[endpoint.key_env or ""]}
    with (folder / "bench.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _BENCH],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def bench(at_once: int) -> Figures:
            return _turn(stdin, stdout, [*flags, f"--max-concurrency={at_once}"], folder / "theirs.json")

        try:
            yield bench
        finally:
            process.kill()
            process.wait()


def _lines(folder: Path) -> list[bytes]:
    return (folder / "prompts.jsonl").read_bytes().splitlines()


def _turn(stdin: IO[str], stdout: IO[str], flags: list[str], out: Path) -> Figures:
    stdin.write(json.dumps({"flags": flags, "out": str(out)}) + "\n")
    stdin.flush()
    for line in stdout:
        if line.startswith("READY"):
            found = json.loads(out.read_bytes())
            if found.pop("failed"):
                sys.exit("requests of vLLM's benchmark failed")
            return found
    sys.exit(f"vLLM's benchmark ended:\n{(out.parent / 'bench.log').read_text()[-2000:]}")


if __name__ == "__main__":
    main()
