"""Compares expressions with math-verify in a process that may be killed at any pair.

Run by file path: `python -P blocks/equivalence_worker.py --cpu-s 3 --memory-bytes 2147483648`.

Each line of stdin is a JSON list of [gold, answer] pairs; for each pair a line with its verdict goes to stdout, and
before it one for each stage: a string that dies while it is read would die beside any other. The process imports
math-verify once and lets a fork do the work: what takes too much CPU time or memory costs that fork, and the next is
there in a millisecond. CPU time is counted by the kernel, so a verdict does not depend on what else the machine is
doing. math-verify's own deadline is wall clock by signal, and turns into "not equal": it is off.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

# What a fork ends with when it is not at fault, and when it is out of memory or of stack.
_RENEW, _MEMORY, _STACK = 70, 71, 72
# What is built at first use is built before the fork, and counts against no pair.
_WARM = (("x+1", "1+x"), ("(1,2]", "[1,2)"), ("\\{1,2\\}", "\\frac{1}{2}"), ("\\sqrt{2}", "1.41"))
# sympy's caches grow with what it has seen.
_PAIRS_A_FORK = 20_000

# Said before what they name is done: whoever hears no verdict after it knows what the fork died of.
GOLD, ANSWER, COMPARE = "gold", "answer", "compare"

Compare = Callable[[str, str, float], str]


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cpu-s", type=float, required=True, help="CPU seconds that a pair may take")
    parser.add_argument("--memory-bytes", type=int, required=True, help="address space that a fork may take")
    given = parser.parse_args()
    compare = _load()
    for pair in _WARM:
        compare(*pair, given.cpu_s)
    signal.setitimer(signal.ITIMER_PROF, 0)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (given.memory_bytes, most))
    _say("ready")
    while (end := _forked(compare, given.cpu_s)) is not None:
        if end:
            _say(end)


def _forked(compare: Compare, cpu_s: float) -> str | None:
    """Let a fork serve; the verdict on the pair that it died of, "" if of none, None when stdin has ended."""
    child = os.fork()
    if child == 0:
        _serve(compare, cpu_s)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) == signal.SIGPROF else "crash"
    return {0: None, _RENEW: "", _MEMORY: "memory"}.get(os.WEXITSTATUS(status), "crash")


def _serve(compare: Compare, cpu_s: float) -> NoReturn:
    done = 0
    # Unbuffered, so that a fork that dies takes no other batch along; there is only ever one on its way.
    with open(0, "rb", buffering=0, closefd=False) as batches:
        while line := batches.readline():
            for gold, answer in json.loads(line):
                verdict = compare(gold, answer, cpu_s)
                signal.setitimer(signal.ITIMER_PROF, 0)
                _say(verdict)
                done += 1
            if done > _PAIRS_A_FORK:
                os._exit(_RENEW)
    os._exit(0)


def _say(word: str) -> None:
    os.write(1, word.encode() + b"\n")


def _load() -> Compare:
    """math-verify without its deadlines, reading each string once."""
    logging.disable(logging.CRITICAL)
    from latex2sympy2_extended import latex2sympy
    from math_verify import grader, parse, parser, verify

    # math-verify takes any exception for "no expression" or "not equal"; out of memory would make an answer wrong.
    setattr(parser, "latex2sympy", _or_die(latex2sympy))  # noqa: B010 - pyright knows no such export
    grader.sympy_expr_eq = _or_die(grader.sympy_expr_eq)
    # LaTeX only: the other reader hands strings to sympy's parse_expr, which evaluates them.
    config = [parser.LatexExtractionConfig()]

    known: dict[str, list[Any]] = {}

    def read(text: str, what: str, cpu_s: float) -> list[Any]:
        """The text's expression, evaluated once against a number: what can't be evaluated is found out here."""
        if text not in known:
            _say(what)
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
            found = parse(f"\\boxed{{{text}}}", config, parsing_timeout=None)  # pyright: ignore[reportArgumentType]
            verify(one, found, timeout_seconds=None)
            known[text] = found
        return known[text]

    def compare(gold: str, answer: str, cpu_s: float) -> str:
        theirs, ours = read(gold, GOLD, cpu_s), read(answer, ANSWER, cpu_s)
        if all(isinstance(one, str) for one in theirs):
            return "unreadable"
        _say(COMPARE)
        # SIGPROF has no handler: the kernel ends the process, whatever C code it is in.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        return "same" if verify(theirs, ours, timeout_seconds=None) else "different"

    one = parse("$1$", config, parsing_timeout=None)  # pyright: ignore[reportArgumentType]
    return compare


def _or_die(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MemoryError:
            os._exit(_MEMORY)
        except RecursionError:
            os._exit(_STACK)

    return watched


if __name__ == "__main__":
    sys.exit(main())
