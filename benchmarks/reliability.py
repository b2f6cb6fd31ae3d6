"""What learned reliability is worth on the school, where the truth is known: `python -m benchmarks.reliability`.

Reads the rulings of every committee of a store (`make quickstart` makes one): the votes of real tiny teachers, whose
truth the solver knows and nobody told the committee. Each teacher's true share beside the one that was learned, and
what majority, one number a teacher, a table a teacher, and one number a teacher and topic make of the votes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from blocks.packed import unpack
from nightschool.committee import pattern
from nightschool.records import LETTERS
from nightschool.reliability import Reliability, dawid_skene, one_coin
from nightschool.statistics import mcnemar_exact
from nightschool.voting import Ballot, Rule, decide

# (truth, topic, votes) of a question.
Case = tuple[str, str, list[Ballot]]


def main() -> int:
    """Print a table for each committee of the store; exit code 1 if it has none of letters."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs"))
    given = parser.parse_args()
    found = [(folder, _cases(folder)) for folder in sorted(given.store.glob("committee/*"))]
    for folder, cases in found:
        if cases:
            print(f"\ncommittee {folder.name}: {len(cases):,} questions whose truth is known")
            _table(cases)
    return 0 if any(cases for _, cases in found) else 1


def _cases(folder: Path) -> list[Case]:
    """The questions that the solver could read and found no fault with, whatever was ruled on them."""
    return [
        (row["question"]["truth"], row["question"]["topic"], [Ballot(*vote) for vote in row["votes"].items()])
        for row in _rows(folder)
        if row["question"]["truth"] and row["question"]["check"] == "ok"
    ]


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("chunk-*.*.jsonl.zst")):
        if path.name.endswith((".rows.jsonl.zst", ".dropped.jsonl.zst")):
            yield from (orjson.loads(line) for line in unpack(path))


def _table(cases: Sequence[Case]) -> None:
    coins = one_coin(_times(cases))
    tables = dawid_skene(_times(cases), LETTERS)
    topics = sorted({topic for _, topic, _ in cases})
    by_topic = {topic: one_coin(_times([case for case in cases if case[1] == topic])) for topic in topics}
    print(f"  {'teacher':<20} {'truly right':>12} {'one coin':>10} {'a table':>10}")
    for who in coins.share:
        cast = [
            (truth, vote.value) for truth, _, votes in cases for vote in votes if vote.teacher == who and vote.value
        ]
        truly = sum(truth == value for truth, value in cast) / len(cast)
        print(f"  {who:<20} {truly:>12.3f} {coins.share[who]:>10.3f} {tables.share[who]:>10.3f}")
    majority = _right(cases, lambda topic: Rule(ties="first"))
    print(f"  {'how':<28} {'right of all':>12} {'p against majority':>20}")
    print(f"  {'majority, ties to the first':<28} {sum(majority) / len(cases):>12.3f}")
    for name, rule in (
        ("one coin a teacher", lambda topic: _by(coins)),
        ("a table a teacher", lambda topic: _by(tables)),
        ("one coin a teacher and topic", lambda topic: _by(by_topic[topic])),
    ):
        right = _right(cases, rule)
        only_before = sum(was and not now for was, now in zip(majority, right, strict=True))
        only_after = sum(now and not was for was, now in zip(majority, right, strict=True))
        print(f"  {name:<28} {sum(right) / len(cases):>12.3f} {mcnemar_exact(only_before, only_after):>20.3f}")


def _times(cases: Sequence[Case]) -> Counter[tuple[tuple[str, str], ...]]:
    return Counter(pattern(votes, closed=True) for _, _, votes in cases)


def _by(learned: Reliability) -> Rule:
    return Rule("reliability", reliability=learned)


def _right(cases: Sequence[Case], rule: Callable[[str], Rule]) -> list[bool]:
    return [decide(votes, rule(topic)).value == truth for truth, topic, votes in cases]


if __name__ == "__main__":
    sys.exit(main())
