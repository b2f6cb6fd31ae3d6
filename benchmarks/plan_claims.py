"""What the plans claim of data, measured on real data beside it: `python -m benchmarks.plan_claims`.

Extraction on MATH by plan 003's rule and by ours; what plan 002's filter on agreement loses and skews on three real
models; the share of questions that plan 004's consistency filter keeps; duplicates and the place of the right answer
(plan 000); questions on both sides of a split (plan 003). By the code that a night runs, each share with its 95%
interval (Wilson). NIGHTSCHOOL_DATA names the folder of the data, see benchmarks/real_data.py; what is not there is
skipped, and said so. `--markdown` prints the table of docs/plan_claims.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks import plan_filters, plan_questions, real_data
from benchmarks.answer_values import GSM8K, MATH, SAMPLES
from benchmarks.committee_real import CHAINS, TORA, TRUTH
from benchmarks.plan_found import HEAD, Found
from benchmarks.sources_real import FILES

_TRAIN = "math/rllm_math_train_7474.json"

# part: files that it reads, and what measures it
PARTS: dict[str, tuple[Sequence[str], Callable[[], Iterator[Found]]]] = {
    "extraction on MATH (plan 003)": ((MATH,), plan_filters.extraction),
    "the filter on agreement, on StrategyQA (plan 002)": ((TRUTH, *CHAINS.values()), plan_filters.agreement),
    "the consistency filter (plan 004)": ((SAMPLES, TRUTH, *CHAINS.values(), *TORA.values()), plan_filters.kept),
    "duplicates (plan 000)": (tuple(FILES), plan_questions.twice),
    "the place of the right answer (plan 000)": ((plan_questions.LOGIC,), plan_questions.places),
    "overlap of splits (plan 003)": ((MATH, _TRAIN), plan_questions.overlap),
    "overlap of published files": ((MATH, _TRAIN, *GSM8K, TRUTH, "strategyqa/train.json"), plan_questions.published),
}


def main() -> int:
    """Print every part; exit code 1 if all of them were skipped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan_claims", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="as the table in docs/plan_claims.md")
    given = parser.parse_args()
    measured = 0
    for name, (files, measure) in PARTS.items():
        if lost := real_data.missing(*files):
            print(f"\n{name}: skipped, {lost}")
            continue
        began = time.perf_counter()
        found = list(measure())
        measured += 1
        _print(name, found, markdown=given.markdown)
        print(f"{name}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return 0 if measured else 1


def _print(name: str, found: Sequence[Found], *, markdown: bool) -> None:
    rows = [HEAD, *(one.cells for one in found)]
    if markdown:
        print(f"\n## {name[0].upper()}{name[1:]}\n")
        for place, row in enumerate(rows):
            print(f"| {' | '.join(row)} |")
            if not place:
                print(f"|{'---|' * len(HEAD)}")
        return
    print(f"\n{name}")
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
