"""Rows per second from a real vLLM: ours beside a bare aiohttp loop that asks it the very same, by turns.

`python -m benchmarks.vllm_saturation [--rows 300] [--tokens 64] [--concurrency 32] [--pairs 5] [--vllm-bench]`

A tiny model of random weights, so that it runs on a CPU within minutes; bodies and seeds are the same, neither streams.
Ours keeps a durable journal and reads every reply. Wanted: 98% of the bare loop. `--vllm-bench` runs vLLM's own serving
benchmark beside it, which always streams and so costs the server more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp
import orjson

from benchmarks.rows import timed
from blocks.chat import request_body
from blocks.client import Client
from blocks.fleet import Fleet
from blocks.journal import Journal
from blocks.servers import ServerSpec
from nightschool.wire import Ask, Endpoint, Message, Sampling
from tasks.asking import Asked
from tasks.progress import Tracker
from tests.integration.random_qwen2 import make

_WORDS = "The quick brown fox jumps over a lazy dog while all mice are lions and some cats look on. " * 3
_BENCH = """
import argparse
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""


def main() -> None:
    """Start the server, run the pairs and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--vllm-bench", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="saturation-") as made:
        folder = Path(made)
        base = make(folder / "base", layers=2)
        spec = ServerSpec(
            name="m", engine="vllm", model=str(base), concurrency=given.concurrency, max_model_len=512,
            max_num_seqs=64, enforce_eager=True, startup_timeout_s=400,
        )  # fmt: skip
        with Client() as client, Fleet([spec], log_dir=folder, on_progress=print) as fleet:
            endpoint = fleet.start()["m"]
            asks = _asks(given.rows, given.tokens)
            _ours(client, endpoint, asks, folder / "warm.jsonl")
            found: dict[str, list[float]] = {"ours": [], "bare loop": []}
            for number in range(given.pairs):
                journal = folder / f"{number}.jsonl"
                ways = {
                    "ours": lambda journal=journal: _ours(client, endpoint, asks, journal),
                    "bare loop": lambda: _bare(endpoint, asks, folder / "bare.jsonl"),
                }
                # Who comes first takes turns: what the machine does meanwhile drifts.
                for name in sorted(ways, reverse=bool(number % 2)):
                    found[name].append(timed(ways[name], given.rows)[0])
            _show(found)
            if given.vllm_bench:
                print(f"vLLM's own benchmark (streams) {_vllm_bench(endpoint, base, given):.1f} rows/s")


def _show(found: dict[str, list[float]]) -> None:
    ratios = [mine / bare for mine, bare in zip(found["ours"], found["bare loop"], strict=True)]
    shown = ", ".join(f"{name} {statistics.median(rates):.1f} rows/s" for name, rates in found.items())
    print(f"{shown}; ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def _asks(rows: int, tokens: int) -> list[Ask]:
    sampling = Sampling(temperature=1.0, max_tokens=tokens)
    return [
        Ask(id=str(row), messages=(Message(role="user", content=f"{row}: {_WORDS}"),), sampling=sampling, seed=row)
        for row in range(rows)
    ]


def _ours(client: Client, endpoint: Endpoint, asks: list[Ask], path: Path) -> int:
    """Asked as a chunk is; whatever comes is a reply, for the model talks nonsense."""
    with Journal(path) as journal:
        asked = Asked(endpoint, journal, Tracker("benchmark"))
        asked.expect(asks, None)
        client.ask_all(endpoint, asked.to_ask(), asked.keep, asked.give_up)
    return len(asked.replies)


def _bare(endpoint: Endpoint, asks: list[Ask], path: Path) -> int:
    return asyncio.run(_ask_barely(endpoint, asks, path))


async def _ask_barely(endpoint: Endpoint, asks: list[Ask], path: Path) -> int:
    left, done = iter(asks), 0
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ[endpoint.key_env or '']}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        with path.open("ab", buffering=0) as file:

            async def work() -> None:
                nonlocal done
                for ask in left:
                    body, url = request_body(ask, endpoint.model), f"{endpoint.urls[0]}/chat/completions"
                    async with session.post(url, data=body, headers=headers) as answer:
                        choice = orjson.loads(await answer.read())["choices"][0]
                    file.write(orjson.dumps({"id": ask.id, "text": choice["message"]["content"]}) + b"\n")
                    done += 1

            await asyncio.gather(*(work() for _ in range(endpoint.concurrency)))
    return done


def _vllm_bench(endpoint: Endpoint, base: Path, given: argparse.Namespace) -> float:
    url, length = endpoint.urls[0].removesuffix("/v1"), len(_WORDS.split())
    options = {
        "backend": "openai-chat", "base-url": url, "endpoint": "/v1/chat/completions", "model": endpoint.model,
        "tokenizer": str(base), "dataset-name": "random", "num-prompts": given.rows, "random-input-len": length,
        "random-output-len": given.tokens, "max-concurrency": given.concurrency,
    }  # fmt: skip
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    env = {**os.environ, "OPENAI_API_KEY": os.environ[endpoint.key_env or ""]}
    done = subprocess.run([sys.executable, "-c", _BENCH, *flags], check=False, env=env, capture_output=True, text=True)
    rate = re.search(r"Request throughput \(req/s\): +([\d.]+)", done.stdout)
    if rate is None:
        sys.exit(f"vLLM's benchmark failed:\n{done.stderr[-2000:]}")
    return float(rate[1])


if __name__ == "__main__":
    main()
