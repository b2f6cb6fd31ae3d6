"""Answers read out of real texts, against what was published or graded: `python -m benchmarks.answer_values`.

MATH's 4,500 test solutions against MATH's own rule for the published answer; 100 more against the answers published
with them; 800 graded samples of Qwen2.5-Math; GSM8K's answers; each with its misses and the microseconds an answer
takes. NIGHTSCHOOL_DATA names the folder of the data, see benchmarks/real_data.py.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable

from benchmarks.real_data import missing, rows
from blocks.equivalence import Judge
from nightschool.values import latex
from nightschool.values.kinds import Kind
from nightschool.values.read import equal, read, read_truth

MATH, SAMPLES = "math/math_test_4500.jsonl", "committee/math_cot_100x8_with_rm.jsonl"
GSM8K = ("gsm8k/test.jsonl", "gsm8k/train.jsonl")
_SHOWN = 10


def published(solution: str) -> str | None:
    """MATH's own answer of a solution: what its last box holds.

    Source: hendrycks/math, last_boxed_only_string and remove_boxed (written anew, as the reference).
    """
    start = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    if start < 0:
        return None
    if solution.startswith("\\boxed ", start):
        return solution[start + len("\\boxed ") :].split("$")[0]
    depth, opened = 0, solution.find("{", start)
    for place in range(opened, len(solution)):
        depth += (solution[place] == "{") - (solution[place] == "}")
        if depth == 0:
            return solution[opened + 1 : place]
    return None


def against(pairs: Iterable[tuple[str, str]], kind: Kind, judge: Judge) -> tuple[Counter[str], list[str]]:
    """Outcomes of (text, true answer) pairs, and the ones that are not right."""
    read_pairs = [(read_truth(truth, kind).value or truth, read(text, kind)) for text, truth in pairs]
    untold = {
        (latex.tidy(truth), latex.tidy(found.value))
        for truth, found in read_pairs
        if found.value and equal(truth, found.value, kind) is None
    }
    verdicts = judge.rule(untold)
    counts: Counter[str] = Counter()
    misses: list[str] = []
    for truth, found in read_pairs:
        outcome = found.outcome
        if found.value is not None:
            same = equal(truth, found.value, kind)
            verdict = verdicts[latex.tidy(truth), latex.tidy(found.value)] if same is None else None
            right = same or verdict == "same"
            outcome = "right" if right else "wrong" if verdict in (None, "different") else f"not judged: {verdict}"
        counts[outcome] += 1
        if outcome != "right":
            misses.append(f"{outcome}: read {found.value or found.reason!r}, published {truth!r}")
    return counts, misses


def main() -> int:
    """Print the table; exit code 1 if a MATH solution has no answer or fewer than 99.5% equal the published one."""
    if lost := missing(MATH, SAMPLES, *GSM8K):
        print(lost)
        return 1
    judge = Judge()
    print(f"{'texts':<34} {'n':>6} {'found':>7} {'right':>7} {'us each':>8}")
    solutions = [row["solution"] for row in rows(MATH)]
    good = _line(
        "MATH solutions, MATH's own rule", [(text, published(text) or "") for text in solutions], "latex", judge
    )
    graded = list(rows(SAMPLES))
    _line("MATH solutions, published answers", [(row["solution"], row["gt"]) for row in graded], "latex", judge)
    for name in GSM8K:
        pairs = [(row["answer"], row["answer"].rpartition("####")[2].strip()) for row in rows(name)]
        good &= _line(f"GSM8K, {name}", pairs, "integer", judge)
    _graded(graded, judge)
    judge.close()
    return 0 if good else 1


def _line(name: str, pairs: list[tuple[str, str]], kind: Kind, judge: Judge) -> bool:
    each = _microseconds(lambda: [read(text, kind) for text, _ in pairs]) / len(pairs)
    counts, misses = against(pairs, kind, judge)
    found = len(pairs) - counts["nothing"] - counts["could_not_judge"]
    share = counts["right"] / len(pairs)
    print(f"{name:<34} {len(pairs):>6,} {found / len(pairs):>7.2%} {share:>7.2%} {each:>8.1f}")
    for miss in misses[:_SHOWN]:
        print(f"    {miss}")
    if len(misses) > _SHOWN:
        print(f"    and {len(misses) - _SHOWN} more")
    return found == len(pairs) and share >= 0.995


def _graded(graded: list[dict[str, list[str]]], judge: Judge) -> None:
    """Our verdict on each real sample beside the grade that came with it."""
    print("\nreal samples of Qwen2.5-Math, our verdict beside the grade on file")
    agreed: Counter[str] = Counter()
    for row in graded:
        for text, grade in zip(row["code"], row["score"], strict=True):
            counts, misses = against([(text, str(row["gt"]))], "latex", judge)
            outcome = next(iter(counts))
            ours = {"right": True, "wrong": False, "nothing": False}.get(outcome)
            agreed["not judged" if ours is None else "agree" if ours == grade else "disagree"] += 1
            if ours != grade:
                print(f"    graded {grade}; {misses[0] if misses else 'right: ' + str(read(text, 'latex').value)}")
    print(f"  {dict(agreed)}")


def _microseconds(work: Callable[[], object]) -> float:
    """CPU time of the median of five runs."""
    took: list[float] = []
    for _ in range(5):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return sorted(took)[2] * 1e6


if __name__ == "__main__":
    sys.exit(main())
