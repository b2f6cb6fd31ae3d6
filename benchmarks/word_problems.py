"""Writes arithmetic word problems with their answers, any number of them: `python -m benchmarks.word_problems 40000`.

They stand in for a data set that can't be downloaded: distinct, of one size, each with one right answer.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator

import orjson

_STORIES = (
    ("{who} packs {a} boxes with {b} pens each and gives {c} pens away. How many pens are left?", "-"),
    ("A bus with {a} seats makes {b} trips a day; {c} seats stay empty in all. How many are taken?", "-"),
    ("{who} saves {a} coins a week for {b} weeks and finds {c} more. How many coins are there?", "+"),
    ("A field has {a} rows of {b} trees, and {c} trees stand by the road. How many trees is that?", "+"),
)
_NAMES = ("Ada", "Bela", "Chen", "Dora", "Emil", "Fadi", "Gita", "Hugo")


def word_problems(count: int, *, seed: int = 0) -> Iterator[dict[str, object]]:
    """Records with `problem`, `answer`, `difficulty` and `id`, no problem twice."""
    rng, seen = random.Random(seed), set[str]()
    while len(seen) < count:
        story, sign = rng.choice(_STORIES)
        a, b, c = rng.randint(2, 99), rng.randint(2, 99), rng.randint(2, 9)
        text = story.format(who=rng.choice(_NAMES), a=a, b=b, c=c)
        if text not in seen:
            seen.add(text)
            answer = a * b + (c if sign == "+" else -c)
            yield {"id": len(seen) - 1, "problem": text, "answer": str(answer), "difficulty": 1 + len(str(answer))}


def main() -> None:
    """Write them to stdout, one to a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.word_problems", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for record in word_problems(given.count, seed=given.seed):
        sys.stdout.buffer.write(orjson.dumps(record) + b"\n")


if __name__ == "__main__":
    main()
