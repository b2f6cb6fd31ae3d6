"""Real questions that are there twice, lie on both sides, or have their answer in one place: of `plan_claims`."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import cast

from benchmarks.answer_values import GSM8K, MATH
from benchmarks.committee_real import TRUTH
from benchmarks.plan_found import Found
from benchmarks.sources_real import FILES, load_real
from nightschool.contamination import contamination
from nightschool.normal import normal
from nightschool.records import LETTERS, Letter, Question, Ruling
from nightschool.relettering import relettered
from nightschool.sketches import Sketches, duplicates
from nightschool.skew import skew
from nightschool.splits import side_of
from tasks.filters import asked

LOGIC = "logic/LogicalDeduction_train.json"
_TRAIN = "math/rllm_math_train_7474.json"
_NEAR = 0.8  # a night's filters.near_duplicates
_SEED = 42
# Where the teacher of plan 000's contest put the right answer, 3,448 times.
_TEACHER = {"A": 1_361, "B": 1_074, "C": 634, "D": 379}
_AIMO = {"levels 1-2": ("1", "2"), "levels 2-5": ("2", "3", "4", "5")}


def twice() -> Iterator[Found]:
    """Of a file's rows those that ask what an earlier one asks, word for word and nearly."""
    yield Found("plan 000's contest, its teacher, word for word", "not looked for", 99, 3_450, "counted in its files")
    for name in FILES:
        found = load_real(name, FILES[name][0])
        same = sum(row.reason == "duplicate" for row in found.dropped)
        texts = [(row.id, asked(row)) for row in found.questions]
        near = len(duplicates(Sketches(texts), threshold=_NEAR))
        yield Found(name, "not looked for", same + near, len(texts) + same, f"{same} of them word for word")


def places() -> Iterator[Found]:
    """Right answers at A: as the plan's teacher puts them, and on real questions put so and then lettered anew."""
    total = sum(_TEACHER.values())
    even = dict.fromkeys(_TEACHER, total / 4)
    moved = skew(even, _TEACHER)
    told = f"A to D {', '.join(f'{n / total:.0%}' for n in _TEACHER.values())}; w {moved.w:.2f}" if moved else ""
    yield Found("plan 000's teacher, answers at A", "25%", _TEACHER["A"], total, told)
    rows = [_biased(row, _drawn(row.id)) for row in load_real(LOGIC, "logiclm").questions if len(row.choices) >= 4]
    yield _at_a("real puzzles with four choices, put as it does", rows)
    mended = [relettered(row, seed=_SEED) for row in rows]
    yield _at_a("the same, lettered anew", [row for row in mended if isinstance(row, Ruling)])


def _drawn(name: str) -> Letter:
    """A place as the plan's teacher would choose it."""
    rng = random.Random(f"{_SEED} {name}")
    return cast("Letter", rng.choices([*_TEACHER], weights=[*_TEACHER.values()])[0])


def _biased(row: Question, letter: Letter) -> Ruling:
    """The question with four of its choices, the right one at the letter."""
    assert row.truth is not None
    right = row.choices[LETTERS.index(row.truth)]
    choices = [choice for choice in row.choices if choice != right][:3]
    choices.insert(LETTERS.index(letter), right)
    put = row.model_copy(update={"choices": tuple(choices), "truth": letter, "key": letter})
    return Ruling(id=row.id, question=put, verdict="accept", answer=letter, reasoning="", by="truth", reason=None,
                  votes={}, vote=letter, agreement=1.0)  # fmt: skip


def _at_a(what: str, rows: Sequence[Ruling]) -> Found:
    counts = Counter(str(row.answer) for row in rows)
    moved = skew(dict.fromkeys("ABCD", len(rows) / 4), counts)
    told = f"A to D {', '.join(f'{counts[letter] / len(rows):.0%}' for letter in 'ABCD')}"
    return Found(what, "25%", counts["A"], len(rows), f"{told}; w {moved.w:.2f}" if moved else told)


def overlap() -> Iterator[Found]:
    """Plan 003's two sets of problems, its random split of both together, and a night's split of the same rows."""
    sets = {name: _levels(levels) for name, levels in _AIMO.items()}
    one, two = sets.values()
    both, whole = one.keys() & two.keys(), one | two
    yield Found("in both sets, of all problems", "2,242 of 21,292", len(both), len(whole))
    rows = [*one, *two]
    random.Random(_SEED).shuffle(rows)
    ends = int(0.8 * len(rows)), int(0.9 * len(rows))
    train, test = set(rows[: ends[0]]), rows[ends[1] :]
    yield Found("test rows that are in train, split at random", "0", sum(row in train for row in test), len(test))
    by: dict[str, dict[str, str]] = {"train": {}, "validation": {}, "test": {}}
    for name, text in whole.items():
        by[side_of(text, validation=0.1, test=0.1)][name] = text
    held = contamination(by["test"].items(), by["train"].items(), threshold=_NEAR)
    yield Found("the same, split by the problem's hash", "0", held.same, held.held_out)
    yield Found("nearly the same as one in train, split by hash", "", held.near, held.held_out, "goes, or is told")


def _levels(levels: Collection[str]) -> dict[str, str]:
    found = [load_real(file, FILES[file][0], levels=levels) for file in (MATH, _TRAIN)]
    return {normal(row.question): row.question for one in found for row in one.questions}


def published() -> Iterator[Found]:
    """Questions of a file that measures, found in a file that teaches."""
    pairs = {
        "MATH, test in train": (MATH, _TRAIN),
        "GSM8K, test in train": GSM8K,
        "StrategyQA, its questions of Faithful-COT in its train file": (TRUTH, "strategyqa/train.json"),
    }
    for what, (held, taught) in pairs.items():
        met = contamination(_texts(held), _texts(taught), threshold=_NEAR)
        yield Found(what, "not looked at", met.same + met.near, met.held_out, f"{met.same} word for word")


def _texts(file: str) -> list[tuple[str, str]]:
    return [(row.id, row.question) for row in load_real(file, FILES[file][0]).questions]
