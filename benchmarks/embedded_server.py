"""Answers per second of the embedded server beside a bare `generate` of transformers, in the same run, a thread each.

`python -m benchmarks.embedded_server [--model DIR] [--answers 512] [--in-flight 64] [--json]`

Both answer the same questions of the school at temperature 0.7 (n=8: an eighth of them, eight samples each);
`generate` in sorted, left-padded batches of 128, which is how one would do it without a server. They take turns;
reported is the best turn of each, per second of wall clock and per second of processor time (the second is the one to
trust on a machine that does other things). Without --model, a model of random weights is made: it never ends by itself,
so the unbound replies are all --max-tokens long.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import aiohttp
import psutil
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nightschool.answers import AnswerReply
from nightschool.school import TOPICS, generate
from tests.integration.random_qwen2 import make

Messages = list[dict[str, str]]
_TEMPERATURE = 0.7
# Samples per request of each way to ask the server.
_WAYS = {"server": 1, "server, schema": 1, "server, schema, n=8": 8}


@dataclass(frozen=True)
class Turn:
    """One measurement; seconds of wall clock and of processor time."""

    way: str
    answers: int
    tokens: int
    wall_s: float
    cpu_s: float


def _questions(count: int) -> list[Messages]:
    rng = random.Random(1)
    asked: list[Messages] = []
    for topic in TOPICS:
        for puzzle in generate(topic, count // len(TOPICS), seed=3):
            choices = [puzzle.right, *puzzle.distractors]
            rng.shuffle(choices)
            lettered = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
            asked.append([{"role": "user", "content": f"{puzzle.question}\n{lettered}"}])
    rng.shuffle(asked)
    return asked


@contextmanager
def _server(model: Path, slots: int) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--model", str(model), "--name", "m", "--port", str(port), "--max-batch", str(slots)]
    process = subprocess.Popen([sys.executable, "-m", "blocks.embedded", *flags], stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


async def _healthy(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            try:
                async with session.get(f"{url}/health") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.2)
    raise SystemExit("the server did not come up")


async def _ask_all(url: str, asked: list[Messages], in_flight: int, body: dict[str, Any]) -> int:
    waiting = iter(enumerate(asked))
    tokens = 0

    async def worker(session: aiohttp.ClientSession) -> None:
        nonlocal tokens
        for seed, messages in waiting:
            request = {"model": "m", "messages": messages, "temperature": _TEMPERATURE, "seed": seed, **body}
            async with session.post(f"{url}/v1/chat/completions", json=request) as response:
                response.raise_for_status()
                tokens += (await response.json())["usage"]["completion_tokens"]

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(worker(session) for _ in range(in_flight)))
    return tokens


def _served(url: str, process: psutil.Process, way: str, asked: list[Messages], args: argparse.Namespace) -> Turn:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": AnswerReply.model_json_schema()}}
    samples = _WAYS[way]
    asked = asked[: len(asked) // samples]
    body = {"max_tokens": args.max_tokens, "n": samples, **({"response_format": form} if "schema" in way else {})}
    wall, before = time.perf_counter(), process.cpu_times()
    tokens = asyncio.run(_ask_all(url, asked, max(1, args.in_flight // samples), body))
    wall, after = time.perf_counter() - wall, process.cpu_times()
    return Turn(way, len(asked) * samples, tokens, wall, after.user + after.system - before.user - before.system)


def _bare(model: Any, tokenizer: Any, asked: list[Messages], max_tokens: int) -> Turn:
    wall, cpu = time.perf_counter(), time.process_time()
    texts = [tokenizer.apply_chat_template(m, add_generation_prompt=True, tokenize=False) for m in asked]
    texts.sort(key=len)
    tokens = 0
    with torch.inference_mode():
        for start in range(0, len(texts), 128):
            batch = tokenizer(texts[start : start + 128], return_tensors="pt", padding=True, add_special_tokens=False)
            given = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            out = model.generate(**given, do_sample=True, temperature=_TEMPERATURE, top_k=0, max_new_tokens=max_tokens)
            written = out[:, batch.input_ids.shape[1] :]
            tokens += int((written != tokenizer.pad_token_id).sum())
            tokenizer.batch_decode(written, skip_special_tokens=True)
    return Turn("generate, batch 128", len(asked), tokens, time.perf_counter() - wall, time.process_time() - cpu)


def _measure(model: Path, args: argparse.Namespace) -> list[Turn]:
    torch.set_num_threads(1)
    tokenizer: Any = AutoTokenizer.from_pretrained(model, padding_side="left")
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    asked = _questions(args.answers)
    turns: list[Turn] = []
    with _server(model, args.in_flight) as (url, process):
        asyncio.run(_healthy(url))
        for way in _WAYS:
            _served(url, process, way, asked[:64], args)
        _bare(network, tokenizer, asked[:128], args.max_tokens)
        for _ in range(args.turns):
            turns += [_served(url, process, way, asked, args) for way in _WAYS]
            turns.append(_bare(network, tokenizer, asked, args.max_tokens))
    return turns


def main() -> None:
    """Print one line per way, or all turns as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--answers", type=int, default=512)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        turns = _measure(args.model or make(Path(made)), args)
    if args.json:
        print(json.dumps([asdict(turn) for turn in turns]))
        return
    for way in dict.fromkeys(turn.way for turn in turns):
        mine = [turn for turn in turns if turn.way == way]
        wall = max(turn.answers / turn.wall_s for turn in mine)
        cpu = max(turn.answers / turn.cpu_s for turn in mine)
        length = mine[0].tokens / mine[0].answers
        print(f"{way:20s} {wall:6.0f} answers/s  {cpu:6.0f} answers/CPU-second  {length:5.1f} tokens each")


if __name__ == "__main__":
    main()
