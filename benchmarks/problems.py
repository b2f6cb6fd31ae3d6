"""What the rules on single problems are worth on MATH: categories told by words, and answers put into problems.

    python -m benchmarks.problems math_test_4500.jsonl rllm_math_train_7474.json

The reference is in the files: each problem's type, and its right answer; beside it answers that are wrong.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from blocks.equivalence import judge
from nightschool.categories import CATEGORIES, category_of
from nightschool.statistics import wilson
from nightschool.substitution import check_of
from nightschool.values.read import read

WRONG = ("7", "-3", "12")


def rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """(problem, type, right answer)."""
    data = path.read_bytes()
    records = orjson.loads(data) if path.suffix == ".json" else [orjson.loads(line) for line in data.splitlines()]
    for record in records:
        answer = record["answer"] if "answer" in record else read(record["solution"], "latex").value
        yield record["problem"], record["type"], answer or ""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path)
    found = [row for path in parser.parse_args().files for row in rows(path)]
    categories(found)
    checks(found)


def categories(found: list[tuple[str, str, str]]) -> None:
    """How often the words of a problem tell the category that its file names."""
    told = [category_of("", kind) for _, kind, _ in found]
    agreed = [category_of(problem) == one for (problem, _, _), one in zip(found, told, strict=True)]
    low, high = wilson(sum(agreed), len(agreed))
    common = max(Counter(told).values()) / len(told)
    print(
        f"{len(found):,} problems; category by words {sum(agreed) / len(agreed):.1%} ({low:.1%} to {high:.1%})",
        end="; ",
    )
    print(f"always the commonest {common:.1%}")
    for name in CATEGORIES:
        mine = [right for right, one in zip(agreed, told, strict=True) if one == name]
        print(f"  {name:<14} {sum(mine) / len(mine):.1%} of {len(mine):,}")


def checks(found: list[tuple[str, str, str]]) -> None:
    """What is said of right answers and of wrong ones, where a problem allows a check."""
    right = [one for problem, _, answer in found if (one := check_of(problem, answer))]
    wrong = [
        one
        for problem, _, answer in found
        if check_of(problem, answer)
        for other in WRONG
        if other != answer and (one := check_of(problem, other))
    ]
    told = judge().rule([(one.left, one.right) for one in (*right, *wrong)])
    print(f"{len(right):,} of {len(found):,} problems allow a check")
    for what, checked in (("right", right), ("wrong", wrong)):
        counts = Counter(told[one.left, one.right] for one in checked)
        print(f"  {len(checked):,} {what} answers: {', '.join(f'{n:,} {word}' for word, n in counts.most_common())}")


if __name__ == "__main__":
    main()
