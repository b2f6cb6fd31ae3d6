"""What is read out of real solutions, and which of them the plans' filters keep: parts of `benchmarks.plan_claims`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.answer_values import MATH, against, published
from benchmarks.committee_real import Asked, gsm8k, maths, strategyqa
from benchmarks.plan_found import Found
from benchmarks.real_data import rows
from blocks.equivalence import Judge, judge
from nightschool.filters import consistency
from nightschool.marking import agreed, results_of
from nightschool.records import Results
from nightschool.ruling_line import RulingLine
from nightschool.skew import skew
from nightschool.values.numbers import last_number
from nightschool.values.read import equal, read
from nightschool.voting import Ballot, Rule, decide

# Plan 003's rule: the first box, as far as its first brace; the last number of a text without one.
_FIRST_BOX = re.compile(r"\\boxed\{([^}]*)\}")
# Plan 002 kept 137 of its 200 rows, 39 of them yes; before there were 91.
_PLAN_002 = {"yes": 39, "no": 98}
_DROPPED = ("all_right", "all_wrong")


def as_plan_003(solution: str) -> str | None:
    """The answer of a solution by plan 003's rule."""
    box = _FIRST_BOX.search(solution)
    if box:
        return box[1]
    number = last_number(solution)
    return None if number is None else str(number)


def extraction() -> Iterator[Found]:
    """Whether there is an answer, and whether it is MATH's own."""
    solutions = [row["solution"] for row in rows(MATH)]
    truths = [published(text) or "" for text in solutions]
    theirs = [as_plan_003(text) for text in solutions]
    ours = [read(text, "latex").value for text in solutions]
    with_judge = Judge()
    boxed = [(f"\\boxed{{{value}}}", truth) for value, truth in zip(theirs, truths, strict=True)]
    plan, _ = against(boxed, "latex", with_judge)
    here, _ = against(list(zip(solutions, truths, strict=True)), "latex", with_judge)
    with_judge.close()
    n = len(solutions)
    yield Found("an answer, by the plan's rule", "100%", sum(value is not None for value in theirs), n)
    yield Found("the right one, by the plan's rule", "100%", plan["right"], n)
    yield Found("an answer, by ours", "", sum(value is not None for value in ours), n)
    yield Found("the right one, by ours", "", here["right"], n)


def agreement() -> Iterator[Found]:
    """Plan 002's filter, a row stays if its teacher says the truth, on real teachers and on their majority."""
    asked = strategyqa()
    truths = [truth for truth, _ in asked.questions]
    yes = f"{truths.count('yes') / len(truths):.1%}"
    kept = Counter(_PLAN_002)
    yield Found("lost, the plan's own teacher", "31.5%", 200 - kept.total(), 200)
    yield Found("yes in what is left, the plan's own teacher", "28.5%", kept["yes"], kept.total(), "45.5% before")
    said = {
        name: [next((one.value for one in ballots if one.teacher == name), None) for _, ballots in asked.questions]
        for name in dict.fromkeys(one.teacher for _, ballots in asked.questions for one in ballots)
    }
    said["majority of the three"] = [_majority(ballots) for _, ballots in asked.questions]
    for name, values in said.items():
        kept = Counter(truth for truth, value in zip(truths, values, strict=True) if truth == value)
        moved = skew(Counter(truths), kept)
        silent = sum(value is None for value in values)
        yield Found(f"lost, {name}", "31.5%", len(truths) - kept.total(), len(truths), f"{silent} without an answer")
        told = f"{yes} before, w {moved.w:.2f}" if moved else ""
        yield Found(f"yes in what is left, {name}", "28.5%", kept["yes"], kept.total(), told)


def _majority(ballots: Sequence[Ballot]) -> str | None:
    names = {one.value: one.value for one in ballots if one.value is not None}
    return decide(ballots, Rule(), names=names).value


def kept() -> Iterator[Found]:
    """The questions that a night's consistency filter leaves; plan 004 states no share."""
    solved = maths()
    for samples in (2, 4, 8):
        alone = [(truth, [Ballot("qwen", one.value) for one in cast[:samples]]) for truth, cast in solved.questions]
        classes = _classes(Asked(solved.name, "latex", alone))
        yield _kept(f"MATH, Qwen2.5-Math, {samples} samples", classes)
    yield _kept("GSM8K, two ToRA models, one sample each", _classes(gsm8k()))
    yield _kept("StrategyQA, three models, one sample each", _classes(strategyqa()))


def _kept(what: str, classes: Sequence[RulingLine]) -> Found:
    left = [row for row in classes if consistency(row, _DROPPED) is None]
    counts = Counter(row.agreed or "unknown" for row in classes)
    return Found(what, "no share", len(left), len(classes), ", ".join(f"{n:,} {name}" for name, n in counts.items()))


def _classes(asked: Asked) -> list[RulingLine]:
    """Each question with its models' results and how they agree, as merging leaves it."""
    same = _same(asked)
    found: list[RulingLine] = []
    for number, (truth, ballots) in enumerate(asked.questions):
        results: dict[str, Results] = {}
        for name in dict.fromkeys(one.teacher for one in ballots):
            marks = [same.get((truth, one.value)) for one in ballots if one.teacher == name and one.value is not None]
            if result := results_of(True in marks, False in marks):
                results[name] = result
        line = RulingLine(id=str(number), verdict="accept", answer=truth, by="truth", reason=None, votes={}, vote=None,
                          agreement=1.0, results=results, agreed=agreed(results.values()))  # fmt: skip
        found.append(line)
    return found


def _same(asked: Asked) -> Mapping[tuple[str, str], bool | None]:
    """Each pair of truth and value that is there: equal, different, or None for what nobody could tell."""
    pairs = {(truth, one.value) for truth, ballots in asked.questions for one in ballots if one.value is not None}
    told = {pair: equal(*pair, asked.kind) for pair in pairs}
    verdicts = judge().rule([pair for pair, known in told.items() if known is None])
    by = {"same": True, "different": False}
    return {pair: by.get(verdicts[pair]) if known is None else known for pair, known in told.items()}
