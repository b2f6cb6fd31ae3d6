"""From pairs of expressions to verdicts, by math-verify in processes with limits on CPU time and memory."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Literal, cast, get_args

import orjson

from nightschool.errors import WorldError

Pair = tuple[str, str]
Verdict = Literal["same", "different", "unreadable", "timeout", "memory", "crash"]

# The slowest of 400 real pairs took 79 ms (measured); a 200-term sum takes 1 s to read.
CPU_S = 2.0
# sympy and its caches take 300 MB of address space; a power tower takes all there is.
MEMORY_BYTES = 2 << 30

_BATCH = 64
_REMEMBERED = 500_000
# A machine so busy that a process gets a thirtieth of a core: only a worker that hangs without working takes longer.
_PATIENCE = 30
_START_S = 120
_STAGES = ("gold", "answer", "compare")
_DEATHS = ("timeout", "memory", "crash")
_WORKER = Path(__file__).with_name("equivalence_worker.py")


class Judge:
    """Worker processes that compare expressions; started when there is something to compare, one pair asked once.

    The verdict is a function of the pair: limits are CPU time and memory, never the clock. All but `same` and
    `different` mean that it could not be judged. A string that can't be read and evaluated within the limits is judged
    beside no other, so that it costs them once and not once a pair.

    Args:
        workers: processes at once; one a core, at most 4, unless told otherwise.
        cpu_s: CPU seconds that reading a string, or comparing two, may take.
    """

    def __init__(self, *, workers: int | None = None, cpu_s: float = CPU_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._most = workers or min(4, os.cpu_count() or 1)
        self._options = ["--cpu-s", str(cpu_s), "--memory-bytes", str(memory_bytes)]
        self._patience_s = _PATIENCE * cpu_s
        self._workers: list[_Worker] = []
        self._known: dict[Pair, Verdict] = {}
        self._hard: dict[str, Verdict] = {}
        self._lock = threading.Lock()

    def rule(self, pairs: Iterable[Pair]) -> dict[Pair, Verdict]:
        """The verdict on each (gold, answer) pair; each distinct one is asked once, ever.

        Raises:
            WorldError: no worker can be started (math-verify is not installed, say).
        """
        wanted = set(pairs)
        with self._lock:
            # Pairs with an answer in common stay together, so that it is parsed once.
            new = sorted(wanted - self._known.keys(), key=lambda pair: pair[::-1])
            if new:
                if len(self._known) > _REMEMBERED:
                    self._known = {pair: verdict for pair, verdict in self._known.items() if pair in wanted}
                self._known |= self._ask(new)
            return {pair: self._known[pair] for pair in wanted}

    def close(self) -> None:
        """Ends the workers."""
        with self._lock:
            while self._workers:
                self._workers.pop().end()

    def _ask(self, pairs: Sequence[Pair]) -> dict[Pair, Verdict]:
        size = max(1, min(_BATCH, len(pairs) // (4 * self._most)))
        runs = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        step = -(-len(runs) // self._most)
        # Each worker begins in a stretch of its own, so that no two meet the same hard string at the same time.
        batches = deque(run for first in range(step) for run in runs[first::step])
        found: dict[Pair, Verdict] = {}
        failures: list[WorldError] = []
        while len(self._workers) < min(self._most, len(batches)):
            self._workers.append(_Worker(self._options, self._patience_s))

        def work(worker: _Worker) -> None:
            try:
                while batch := _next(batches):
                    found.update(worker.verdicts(batch, self._hard))
            except WorldError as err:
                failures.append(err)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return found


class _Worker:
    """One process, which sits out the deaths of its forks; if it dies itself, another takes its place."""

    def __init__(self, options: Sequence[str], patience_s: float) -> None:
        self._options, self._patience_s = options, patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""

    def verdicts(self, batch: Sequence[Pair], hard: dict[str, Verdict]) -> dict[Pair, Verdict]:
        """All verdicts of the batch; `hard` holds strings that can't be read within the limits, and learns new ones."""
        found: dict[Pair, Verdict] = {}
        rest = list(batch)
        while rest:
            found |= {pair: hard[text] for pair in rest for text in pair[::-1] if text in hard}
            rest = [pair for pair in rest if pair not in found]
            said, stage = self._some(rest)
            found |= zip(rest, said, strict=False)
            if said and said[-1] in _DEATHS and stage in ("gold", "answer"):
                hard[rest[len(said) - 1][stage == "answer"]] = said[-1]
            rest = rest[len(said) :]
        return found

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _some(self, batch: Sequence[Pair]) -> tuple[list[Verdict], str | None]:
        """Verdicts on the first of them, up to one that a fork or the worker died of, and the stage that it was at."""
        words: list[Verdict] = []
        stage = None
        if not batch:
            return words, stage
        if self._process is None:
            self._process = self._start()
        # If it is gone, the next line is missing, and says so.
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).write(orjson.dumps(batch) + b"\n")
        while len(words) < len(batch) and (not words or words[-1] not in _DEATHS):
            line = self._line(self._process, self._patience_s)
            if line in _STAGES:
                stage = line
                continue
            if line not in get_args(Verdict):
                self.end()
                # That it was killed from outside says nothing of what it was reading.
                line, stage = "timeout" if line is None else "crash", None
            words.append(cast(Verdict, line))
        return words, stage

    def _start(self) -> subprocess.Popen[bytes]:
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                # -P: this folder's modules are no top-level ones. Fixed hashes: sympy's order of terms goes by them.
                [sys.executable, "-P", str(_WORKER), *self._options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                env={**os.environ, "PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
            self._read = b""
            while (line := self._line(process, _START_S)) in _STAGES:
                pass
            if line != "ready":
                process.kill()
                process.communicate()
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines()[-1:]
                raise WorldError(f"math-verify does not start: {' '.join(said) or 'it says nothing'}")
        return process

    def _line(self, process: subprocess.Popen[bytes], within_s: float) -> str | None:
        """The next line of the worker; "" when it has ended, None when it says nothing."""
        ends = time.monotonic() + within_s
        output = _pipe(process.stdout)
        while b"\n" not in self._read:
            ready, _, _ = select.select([output], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                return None
            more = os.read(output.fileno(), 1 << 16)
            if not more:
                return ""
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()


def _next(batches: deque[Sequence[Pair]]) -> Sequence[Pair] | None:
    try:
        return batches.popleft()
    except IndexError:
        return None


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "the worker was started with pipes"
    return stream


@functools.cache
def judge() -> Judge:
    """The judge that all steps of this process share."""
    shared = Judge()
    atexit.register(shared.close)
    return shared
