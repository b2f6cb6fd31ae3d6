"""Equality of 100,000 pairs of expressions beside naive math-verify: `python -m benchmarks.equivalence [--pairs N]`.

Eight types, sixteen answers to each truth as in plan 004, 1% of them pathological. Ours: the fast path, then one check
for each distinct pair in limited processes. Naive: parse, parse, verify for each pair, on a sample that has all types,
with math-verify's own deadline of 5 s. Then ours once more while other processes hog every core. Exit code 1 if a
verdict changed or the ratio is under 50.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from blocks.equivalence import Judge, Verdict
from nightschool.values import latex

Pair = tuple[str, str]
_ANSWERS = 16
PATHOLOGICAL = (
    *(f"{n}^{{9^{{9^9}}}}" for n in range(2, 8)),
    *("(" * n + "x" + ")" * n for n in range(50, 56)),
    *(f"{n}99999999!" for n in range(1, 5)),
    *(f"\\sum_{{n=1}}^{{{n}000000000}} n^n" for n in range(1, 5)),
)


def spellings(rng: random.Random) -> list[list[str]]:
    """For each of eight types a truth, other spellings of it, and two wrong answers behind them."""
    a, b, c = rng.randint(2, 40), rng.randint(2, 40), rng.randint(2, 9)
    odd, root = 2 * b + 1, rng.choice((2, 3, 5, 7, 11, 13))
    return [
        [f"{a * b}", f"{a * b}", f"{a * b + 1}", f"-{a * b}"],
        [f"{a * c}", f"{a * c}\\text{{ dollars}}", f"{a * c + 1}\\text{{ dollars}}", f"{a}"],
        [f"\\frac{{{a}}}{{{odd}}}", f"{a}/{odd}", f"{a + 1}/{odd}", f"{a}"],
        [f"\\frac{{{odd}}}{{8}}", f"{odd / 8}", f"{(odd + 1) / 8}", f"{odd}"],
        [f"{c}\\sqrt{{{root}}}", f"\\sqrt{{{c * c * root}}}", f"{c + 1}\\sqrt{{{root}}}", f"\\sqrt{{{root}}}"],
        [f"x^2+{c}x+{root}", f"{root}+{c}x+x^{{2}}", f"x^2+{c}x-{root}", f"x^2+{c + 1}x+{root}"],
        [f"\\{{{c},{root},20\\}}", f"\\{{20,{c},{root}\\}}", f"\\{{{c},{root}\\}}", f"\\{{{c},{root},21\\}}"],
        [f"({c},{root + 10})", f"\\left( {c}, {root + 10} \\right)", f"[{c},{root + 10})", f"({c},{root + 11})"],
    ]


def pairs(count: int, rng: random.Random) -> list[Pair]:
    """Truth and answer: ten in sixteen as the truth is written, three in another way, three wrong; 1% pathological."""
    found: list[Pair] = []
    while len(found) < count:
        for truth, other, *wrong in spellings(rng):
            for place in range(_ANSWERS):
                answer = truth if place < 10 else other if place < 13 else wrong[place % 2]
                found.append((truth, rng.choice(PATHOLOGICAL) if rng.random() < 0.01 else answer))
    return found[:count]


def ours(given: Sequence[Pair]) -> tuple[list[Verdict], Counter[str]]:
    """Every verdict, and how many were told by which path."""
    fast = [latex.same(*pair) for pair in given]
    keys = [(latex.tidy(gold), latex.tidy(answer)) for gold, answer in given]
    judge = Judge()
    slow = judge.rule({key for key, told in zip(keys, fast, strict=True) if told is None})
    judge.close()
    verdicts: list[Verdict] = [
        slow[key] if told is None else "same" if told else "different" for key, told in zip(keys, fast, strict=True)
    ]
    by = Counter("fast" if told is not None else "slow" for told in fast)
    return verdicts, by + Counter({"distinct": len(slow)})


def main() -> int:
    """Print all three, the ratio, and every verdict that is not the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=400, help="pairs that naive math-verify is asked")
    parser.add_argument("--naive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.naive:
        return _naive()
    rng = random.Random(0)
    given = pairs(options.pairs, rng)
    began = time.perf_counter()
    verdicts, by = ours(given)
    took_s = time.perf_counter() - began
    told = Counter(verdicts)
    print(
        f"ours: {len(given):,} pairs in {took_s:.1f} s, {len(given) / took_s:,.0f} a second; {dict(by)}; {dict(told)}"
    )
    moved = _beside_hogs(given, verdicts)
    hard = [place for place, (_, answer) in enumerate(given) if answer in PATHOLOGICAL]
    easy = sorted(set(range(len(given))) - set(hard))
    samples = {"ordinary": rng.sample(easy, options.sample), "pathological": rng.sample(hard, 6)}
    changed, seconds = _beside_naive(given, verdicts, samples)
    naive_s = len(easy) * seconds["ordinary"] + len(hard) * seconds["pathological"]
    plain = seconds["ordinary"] * len(given) / took_s
    print(f"naive for all pairs: {naive_s:,.0f} s; ratio {naive_s / took_s:,.0f} (without its deadlines {plain:,.0f}); "
          f"verdicts changed {changed}; not judged {sum(told.values()) - told['same'] - told['different']} "
          f"of {len(hard)} pathological")  # fmt: skip
    return 1 if changed or moved or naive_s / took_s < 50 else 0


def _beside_hogs(given: Sequence[Pair], verdicts: Sequence[Verdict]) -> int:
    """How many verdicts are others while processes that do nothing but work outnumber the cores two to one."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    began = time.perf_counter()
    try:
        again, _ = ours(given)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    moved = [(pair, one, other) for pair, one, other in zip(given, verdicts, again, strict=True) if one != other]
    print(f"ours beside {len(hogs)} hogs: {time.perf_counter() - began:.1f} s; {len(moved)} verdicts differ")
    for pair, one, other in moved[:10]:
        print(f"  {pair}: alone {one}, beside them {other}")
    return len(moved)


def _beside_naive(
    given: Sequence[Pair], verdicts: Sequence[Verdict], samples: Mapping[str, Sequence[int]]
) -> tuple[int, dict[str, float]]:
    """How many verdicts naive math-verify has otherwise, of those that were judged, and its seconds a pair."""
    changed, seconds = 0, {}
    for name, sample in samples.items():
        said, seconds[name] = _ask_naive([given[place] for place in sample])
        print(f"naive, {name}: {len(sample)} pairs, {seconds[name] * 1000:.1f} ms each")
        for place, naive in zip(sample, said, strict=True):
            if verdicts[place] in ("same", "different") and verdicts[place] != naive:
                changed += 1
                print(f"  changed: {given[place]}: naive {naive}, ours {verdicts[place]}")
    return changed, seconds


def _ask_naive(sample: Sequence[Pair]) -> tuple[list[str], float]:
    """Naive verdicts, and seconds a pair; in a process of its own, for its deadline is a signal."""
    command = [sys.executable, "-m", "benchmarks.equivalence", "--naive"]
    done = subprocess.run(command, input=json.dumps(list(sample)), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return found["verdicts"], found["seconds"] / len(sample)


def _naive() -> int:
    import logging

    from math_verify import parse, verify

    logging.disable(logging.CRITICAL)
    verify(parse("$x+1$"), parse("$1+x$"))
    given = json.load(sys.stdin)
    began = time.perf_counter()
    verdicts = ["same" if verify(parse(f"${gold}$"), parse(f"${answer}$")) else "different" for gold, answer in given]
    print(json.dumps({"verdicts": verdicts, "seconds": time.perf_counter() - began}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
