"""Fuzzes what reads untrusted bytes: no exception but ours, no input that takes long.

Targets: `reply` (a model's text as a record), `body` (a server's answer as a chat reply), `journal` (a journal's lines,
of which good ones must survive whatever stands around them), `value` (an answer read out of a solution).

    python -m benchmarks.fuzz [TARGET ...] [--seconds 60] [--seed 0]

With atheris (pip install atheris) inputs are bred by coverage; without it, the seeds are cut, doubled, spliced and
flipped at random, which finds less. Exit code 1, and the input in a file, when something comes out that must not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from blocks.chat import BrokenReply, read_body
from blocks.journal import OnFile, as_line, good
from nightschool.answers import AnswerReply
from nightschool.parsing import parse_json, split_reasoning
from nightschool.values.kinds import Kind
from nightschool.values.read import read
from nightschool.wire import Choice, Reply

# Far beyond what any input takes on a busy machine (measured: 5 ms), far below what would stop a night.
_SLOW_S = 2.0
_MOST_BYTES = 4096
_OURS = ("nightschool", "blocks", "benchmarks")

_GOOD = Reply(
    id="row-7", model="m", seed=1, choices=(Choice(text='{"answer": "B"}', finish="stop"),), tokens_in=1,
    tokens_out=1, latency_s=0.1, attempts=1,
)  # fmt: skip
_RECORD = b'Sure!\n```json\n{"reasoning": "All cats are mammals.", "answer": "B"}\n```\n'
_SOLUTION = (
    b"So $x^2 = 16$.\n\n\\[ x = \\pm 4 \\]\nThe answer is $\\boxed{\\frac{1}{2} + \\{3, 4\\}}$. Yes, (B) 1,024.5%"
)
_BODY = b'{"choices":[{"index":0,"message":{"content":"<think>a</think>b"},"finish_reason":"stop"}],"usage":{}}'


def _reply(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    split_reasoning(text)
    for repair in (False, True):
        parse_json(text, AnswerReply, repair=repair)


def _body(data: bytes) -> None:
    try:
        read_body(data)
    except BrokenReply:
        return


def _journal(data: bytes) -> None:
    line = as_line(_GOOD)
    found = OnFile(Path("any"), data.rstrip(b"\n") + b"\n" + line + data)
    assert line[12:-2] in good(found.lines(_GOOD.id)), "a good line was lost"
    assert 0 < found.whole <= 2 * len(data) + len(line) + 1


def _value(data: bytes) -> None:
    for kind in get_args(Kind):
        read(data.decode("utf-8", "replace"), kind, fallback="last_number")


TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "reply": (_reply, [_RECORD, b"{'reasoning': 'x', 'answer': 'A'}", b"<think>{</think>[{"]),
    "body": (_body, [_BODY, b'{"error":{"message":"no"}}']),
    "journal": (_journal, [as_line(_GOOD), as_line(_GOOD)[:40]]),
    "value": (_value, [_SOLUTION]),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], default=[], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    bad = 0
    for name in options.targets or TARGETS:
        # A process each: atheris ends the one that it runs in.
        child = multiprocessing.Process(target=_fuzz, args=(name, options.seconds, options.seed))
        child.start()
        child.join()
        print(
            f"{name}: {'nothing found' if child.exitcode == 0 else f'FAILED, exit code {child.exitcode}'}", flush=True
        )
        bad += child.exitcode != 0
    return 1 if bad else 0


def _fuzz(name: str, seconds: int, seed: int) -> None:
    call, seeds = TARGETS[name]
    try:
        atheris: Any = import_module("atheris")
    except ModuleNotFoundError:
        _mutate(name, call, seeds, seconds, random.Random(seed))
        return
    for module in [module for module in sys.modules if module.partition(".")[0] in _OURS]:
        del sys.modules[module]
    with atheris.instrument_imports(include=["nightschool", "blocks"]):
        call = import_module("benchmarks.fuzz").TARGETS[name][0]
    folder = Path(tempfile.gettempdir()) / f"nightschool-fuzz-{name}"
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(data)
    flags = [f"-max_total_time={seconds}", f"-timeout={_SLOW_S:.0f}", f"-seed={seed + 1}", f"-max_len={_MOST_BYTES}"]
    atheris.Setup([sys.argv[0], *flags, "-verbosity=0", f"-artifact_prefix={folder}/", str(folder)], call)
    atheris.Fuzz()


def _mutate(name: str, call: Callable[[bytes], None], seeds: list[bytes], seconds: int, rng: random.Random) -> None:
    ends, count, slowest = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < ends:
        data = rng.choice(seeds)
        for _ in range(rng.randint(1, 8)):
            data = _changed(data, rng.choice(seeds), rng)[:_MOST_BYTES]
        began = time.perf_counter()
        # On file before it is tried: what ends the process, however it does, can be looked at afterwards.
        Path(f"fuzz-{name}.bin").write_bytes(data)
        call(data)
        slowest = max(slowest, time.perf_counter() - began)
        count += 1
        if slowest > _SLOW_S:
            raise SystemExit(f"{name}: {slowest:.1f} s for one input: fuzz-{name}.bin")
    Path(f"fuzz-{name}.bin").unlink(missing_ok=True)
    print(f"{name}: {count:,} inputs, the slowest took {slowest * 1000:.0f} ms", flush=True)


def _changed(data: bytes, other: bytes, rng: random.Random) -> bytes:
    at, to = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    match rng.randrange(5):
        case 0:
            return data[:at] + data[to:]
        case 1:
            return data[:to] + data[at:to] * rng.randint(1, 50) + data[to:]
        case 2:
            return data[:at] + other + data[to:]
        case 3:
            return data[:at] + rng.randbytes(rng.randint(1, 4)) + data[to:]
        case _:
            return data[:at] + rng.choice(b'{}[]"\\:,$^<>\n\x00\xff').to_bytes() + data[at:]


if __name__ == "__main__":
    sys.exit(main())
