"""Voting strategies on real answers with known truth: `python -m benchmarks.voting`.

One table each for StrategyQA (three models' chains of thought), MATH (eight samples of one model) and GSM8K (two
models): accuracy on what was decided, its 95% interval, coverage, mean agreement. NIGHTSCHOOL_DATA names the folder of
the data, see benchmarks/real_data.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from benchmarks.answer_values import SAMPLES
from benchmarks.real_data import missing, rows
from blocks.equivalence import judge
from nightschool.reliability import one_coin
from nightschool.statistics import wilson
from nightschool.values.kinds import Kind
from nightschool.values.read import equal, read, read_truth
from nightschool.voting import Ballot, Rule, Strategy, candidates, decide

TRUTH = "committee/strategyqa__questions_test.jsonl"
CHAINS = {name: f"committee/strategyqa_{name}_COT.jsonl" for name in ("gpt4", "gpt-3.5-turbo", "text003")}
TORA = {name: f"committee/{name}.jsonl" for name in ("tora_70b", "tora_code_34b")}

Question = tuple[str, list[Ballot]]


def main() -> int:
    """Print the tables."""
    if lost := missing(TRUTH, SAMPLES, *CHAINS.values(), *TORA.values()):
        print(lost)
        return 1
    _table("StrategyQA, gpt-4, gpt-3.5-turbo, text-davinci-003", strategyqa(), "yes_no", rivals=1)
    _table("MATH, 8 samples of Qwen2.5-Math, confidence by its reward model", math(), "latex", rivals=3)
    _table("GSM8K, ToRA 70B and ToRA-Code 34B", gsm8k(), "integer", rivals=3)
    return 0


def strategyqa() -> list[Question]:
    """Matched by id: one of the chains has no question."""
    truth = {row["id"]: "yes" if row["answer"] else "no" for row in rows(TRUTH)}
    ballots: dict[int, list[Ballot]] = {number: [] for number in truth}
    for name, file in CHAINS.items():
        for row in rows(file):
            if row["id"] in ballots:
                ballots[row["id"]].append(Ballot(name, read(row["completion"], "yes_no").value))
    return [(truth[number], votes) for number, votes in ballots.items()]


def math() -> list[Question]:
    found: list[Question] = []
    for row in rows(SAMPLES):
        scores = [score[0] for score in row["pred_score"]]
        ballots = [
            Ballot(f"sample {place}", read(text, "latex").value, 1 / (1 + 2.718281828 ** -scores[place]))
            for place, text in enumerate(row["code"])
        ]
        found.append((row["gt"], ballots))
    return found


def gsm8k() -> list[Question]:
    by: dict[int, Question] = {}
    for name, file in TORA.items():
        for row in rows(file):
            _, ballots = by.setdefault(row["idx"], (_truth(row), []))
            ballots.append(Ballot(name, read(row["code"][0], "integer").value))
    return list(by.values())


def _truth(row: Mapping[str, Any]) -> str:
    return read_truth(str(row["gt"]), "integer").value or str(row["gt"])


def _table(title: str, questions: Sequence[Question], kind: Kind, *, rivals: int) -> None:
    spelled = [
        {ballot.teacher: one.value for one in candidates(ballots, _same(kind)) for ballot in one.ballots}
        for _, ballots in questions
    ]
    shares = one_coin(spelled, rivals=rivals).share
    print(f"\n{title}: {len(questions):,} questions")
    print(f"  {'who or how':<28} {'right':>7} {'95% interval':>18} {'coverage':>9} {'agreement':>10}")
    for teacher in dict.fromkeys(ballot.teacher for _, ballots in questions for ballot in ballots):
        own = [(truth, [one for one in ballots if one.teacher == teacher]) for truth, ballots in questions]
        _line(f"{teacher} (found {shares[teacher]:.1%})", own, Rule(), kind)
    for strategy in get_args(Strategy):
        if strategy == "numeric_average" and kind == "yes_no":
            continue
        rule = Rule(strategy, reliability=shares, fallback=None if strategy == "unanimous" else "majority")
        _line(strategy, questions, rule, kind)
    _line("majority, ties to the first", questions, Rule(ties="first"), kind)


def _same(kind: Kind) -> Callable[[str, str], bool | None]:
    def same(one: str, two: str) -> bool | None:
        found = equal(one, two, kind)
        if found is not None:
            return found
        verdict = judge().rule([(one, two)])[one, two]
        return verdict == "same" if verdict in ("same", "different") else None

    return same


def _line(name: str, questions: Sequence[Question], rule: Rule, kind: Kind) -> None:
    decided = [(truth, decide(ballots, rule, same=_same(kind))) for truth, ballots in questions]
    kept = [(truth, found) for truth, found in decided if found.value is not None]
    right = sum(bool(_same(kind)(truth, found.value or "")) for truth, found in kept)
    low, high = wilson(right, len(kept)) if kept else (0.0, 0.0)
    agreement = sum(found.agreement for _, found in kept) / len(kept) if kept else 0.0
    share = right / len(kept) if kept else 0.0
    print(
        f"  {name:<28} {share:>7.1%} {low:>8.1%} to {high:>6.1%} {len(kept) / len(questions):>9.1%} {agreement:>10.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())
