"""What every real file of questions holds, against what is written of it: `python -m benchmarks.sources_real`.

Reads the folder of `benchmarks.real_data`. Rows, bad rows, answers and levels come from the same code that a night
reads with; what is expected is in the data's own README and in the plans. Ends with plan 003's counts, whose 21,292
problems are not to be had: MATH has 12,500.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from benchmarks import real_data
from nightschool.records import Question
from nightschool.sources.kinds import KINDS, KindName
from nightschool.sources.load import Loaded, Where, load
from nightschool.sources.mapping import Form
from nightschool.sources.survey import survey

# file: kind, rows by the README
FILES: dict[str, tuple[KindName, int]] = {
    "strategyqa/train.json": ("strategyqa", 2_061),
    "committee/strategyqa__questions_test.jsonl": ("strategyqa", 2_289),
    "gsm8k/train.jsonl": ("gsm8k", 7_473),
    "gsm8k/test.jsonl": ("gsm8k", 1_319),
    "math/math_test_4500.jsonl": ("math", 4_500),
    "math/rllm_math_train_7474.json": ("deepscaler", 7_474),
    "logic/logical_deduction_three_objects.json": ("bigbench", 250),
    "logic/logical_deduction_five_objects.json": ("bigbench", 250),
    "logic/formal_fallacies.json": ("bigbench", 250),
    "logic/boolean_expressions.json": ("bigbench", 250),
    "logic/LogicalDeduction_train.json": ("logiclm", 1_200),
    "logic/LogicalDeduction_dev.json": ("logiclm", 300),
}
_MATH = ("math/math_test_4500.jsonl", "math/rllm_math_train_7474.json")
_LEVELS = {"AIMO1 (levels 1-2)": ("1", "2"), "AIMO2 (levels 2-5)": ("2", "3", "4", "5")}
_DROPPED = ("not_an_integer", "out_of_range")
_PLAN = {"AIMO1 (levels 1-2)": 3_243, "AIMO2 (levels 2-5)": 20_291}


def main() -> None:
    """Print a block for each file, then plan 003's."""
    for name, (kind, rows) in FILES.items():
        if lost := real_data.missing(name):
            print(f"{name}: skipped, {lost}\n")
            continue
        began = time.perf_counter()
        found = load_real(name, kind)
        seconds = time.perf_counter() - began
        differs = "" if rows in (found.rows, len(found.questions)) else "  <- differs"
        print(f"{name} ({kind}, {seconds:.2f} s): README {rows:,} rows{differs}")
        print("".join(f"  {line}\n" for line in survey(found).lines))
    if not real_data.missing(*_MATH):
        _plan_003()


def load_real(
    name: str, kind: KindName, *, levels: Collection[str] = (), integers: tuple[int, int] | None = None
) -> Loaded:
    form = Form(kind=kind, names=KINDS[kind].names, levels=levels, integers=integers)
    return load(Where([real_data.FOLDER / name]), form)


def _plan_003() -> None:
    """Its two sets overlap in level 2: split at random, a question stands on both sides."""
    print("Plan 003 on the MATH that is here (4,500 of test, 7,474 of train; the plan says 21,292):")
    sets: dict[str, dict[str, Question]] = {}
    for name, levels in _LEVELS.items():
        found = [load_real(file, FILES[file][0], levels=levels) for file in _MATH]
        whole = [load_real(file, FILES[file][0], levels=levels, integers=(0, 99_999)) for file in _MATH]
        sets[name] = {row.id: row for one in found for row in one.questions}
        integers = sum(len(one.questions) for one in whole)
        lost = {reason: sum(survey(one).dropped.get(reason, 0) for one in whole) for reason in _DROPPED}
        told = ", ".join(f"{count:,} {reason}" for reason, count in lost.items())
        print(f"  {name}: {len(sets[name]):,} questions (plan {_PLAN[name]:,}); {integers:,} in AIMO's form, {told}")
    one, two = sets.values()
    print(f"  in both: {len(one.keys() & two.keys()):,} (plan: 3,243 + 20,291 - 21,292 = 2,242)")


if __name__ == "__main__":
    main()
