"""Voting strategies on real models' answers with known truth, in one table: `python -m benchmarks.committee_real`.

StrategyQA (gpt-4, gpt-3.5-turbo and text-davinci-003, matched by id), MATH (100 problems, eight samples of
Qwen2.5-Math, confidence by its reward model) and GSM8K (two ToRA models): for each teacher and each strategy how many
questions it decides, how many of those right with the 95% interval, how many of all; then the agreement curve: the same
where at least so much of the votes agree. NIGHTSCHOOL_DATA names the folder of the data, see benchmarks/real_data.py.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from benchmarks.answer_values import SAMPLES
from benchmarks.real_data import missing, rows
from blocks.equivalence import judge
from nightschool.committee import pattern
from nightschool.reliability import Coins, Reliability, Tables, dawid_skene, one_coin
from nightschool.statistics import wilson
from nightschool.values.kinds import Kind
from nightschool.values.read import equal, read, read_truth
from nightschool.voting import Ballot, Decision, Rule, Strategy, decide, named

TRUTH = "committee/strategyqa__questions_test.jsonl"
CHAINS = {name: f"committee/strategyqa_{name}_COT.jsonl" for name in ("gpt4", "gpt-3.5-turbo", "text003")}
TORA = {name: f"committee/{name}.jsonl" for name in ("tora_70b", "tora_code_34b")}

Same = Callable[[str, str], bool | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A data set's questions: the truth and the ballots of each; whether the ballots say how sure they are."""

    name: str
    kind: Kind
    questions: Sequence[tuple[str, list[Ballot]]]
    sure: bool = False


def main() -> int:
    """Print the table."""
    if lost := missing(TRUTH, SAMPLES, *CHAINS.values(), *TORA.values()):
        print(lost)
        return 1
    for asked in (strategyqa(), maths(), gsm8k()):
        same = _same(asked.kind)
        print(f"\n{asked.name}: {len(asked.questions):,} questions")
        print(f"  {'who or how':<34} {'decided':>8} {'right of these':>15} {'95% interval':>17} {'right of all':>13}")
        for who in dict.fromkeys(ballot.teacher for _, ballots in asked.questions for ballot in ballots):
            alone = [(truth, [one for one in cast if one.teacher == who]) for truth, cast in asked.questions]
            _line(f"{who} alone", _decided(alone, Rule(), same))
        for name, rule in _rules(asked, same):
            _line(name, _decided(asked.questions, rule, same))
        _curve(_decided(asked.questions, Rule(), same))
    return 0


def strategyqa() -> Asked:
    """Matched by id: one of the chains has no question."""
    truth = {row["id"]: "yes" if row["answer"] else "no" for row in rows(TRUTH)}
    ballots: dict[int, list[Ballot]] = {number: [] for number in truth}
    for name, file in CHAINS.items():
        for row in rows(file):
            if row["id"] in ballots:
                ballots[row["id"]].append(Ballot(name, read(row["completion"], "yes_no").value))
    title = "StrategyQA, gpt-4, gpt-3.5-turbo, text-davinci-003"
    return Asked(title, "yes_no", [(truth[number], votes) for number, votes in ballots.items()])


def maths() -> Asked:
    """Samples of one model: each is as sure as its reward model is."""
    found: list[tuple[str, list[Ballot]]] = []
    for row in rows(SAMPLES):
        values = [read(text, "latex").value for text in row["code"]]
        sure = [1 / (1 + math.exp(-score[0])) for score in row["pred_score"]]
        ballots = [Ballot(f"sample {n + 1}", *each) for n, each in enumerate(zip(values, sure, strict=True))]
        found.append((row["gt"], ballots))
    return Asked("MATH, 8 samples of Qwen2.5-Math, as sure as its reward model", "latex", found, sure=True)


def gsm8k() -> Asked:
    """By the file's own number; the models answer in words and in programs."""
    by: dict[int, tuple[str, list[Ballot]]] = {}
    for name, file in TORA.items():
        for row in rows(file):
            truth = read_truth(str(row["gt"]), "integer").value or str(row["gt"])
            by.setdefault(row["idx"], (truth, []))[1].append(Ballot(name, read(row["code"][0], "integer").value))
    return Asked("GSM8K, ToRA 70B and ToRA-Code 34B", "integer", list(by.values()))


def _rules(asked: Asked, same: Same) -> Iterator[tuple[str, Rule]]:
    """Every strategy that can differ here; what needs confidence is left out where there is none."""
    by_confidence = ("confidence_weighted", "max_confidence", "median_confidence")
    for strategy in get_args(Strategy):
        if (strategy in by_confidence and not asked.sure) or strategy in ("unanimous", "reliability"):
            continue
        if strategy != "numeric_average" or asked.kind != "yes_no":
            yield strategy, Rule(strategy)
    yield "majority, ties to the first", Rule(ties="first")
    yield "unanimous, no fallback", Rule("unanimous", fallback=None)
    for name, learned in _learned(asked, same):
        shares = ", ".join(f"{who} {share:.1%}" for who, share in learned.share.items())
        print(f"  {name}, as learned: {shares}")
        yield f"reliability, {name}", Rule("reliability", reliability=learned)


def _learned(asked: Asked, same: Same) -> Iterator[tuple[str, Reliability]]:
    closed = asked.kind == "yes_no"
    times = Counter(pattern(ballots, _names(ballots, same), closed=closed) for _, ballots in asked.questions)
    coins: Coins = one_coin(times, rivals=1 if closed else 3)
    yield "one coin each", coins
    if closed:
        tables: Tables = dawid_skene(times, ("no", "yes"))
        yield "a table each", tables


def _decided(questions: Sequence[tuple[str, list[Ballot]]], rule: Rule, same: Same) -> list[tuple[Decision, bool]]:
    found = [(truth, decide(ballots, rule, names=_names(ballots, same))) for truth, ballots in questions]
    return [(one, one.value is not None and bool(same(truth, one.value))) for truth, one in found]


def _names(ballots: Sequence[Ballot], same: Same) -> dict[str, str]:
    return named([one.value for one in ballots if one.value is not None], same)


def _line(name: str, decided: Sequence[tuple[Decision, bool]]) -> None:
    kept = [right for one, right in decided if one.value is not None]
    low, high = wilson(sum(kept), len(kept)) if kept else (0.0, 0.0)
    share = sum(kept) / len(kept) if kept else 0.0
    print(f"  {name:<34} {len(kept) / len(decided):>8.1%} {share:>15.1%} {low:>8.1%} to {high:>6.1%}"
          f" {sum(kept) / len(decided):>12.1%}")  # fmt: skip


def _curve(decided: Sequence[tuple[Decision, bool]]) -> None:
    """The majority's answers where at least so much of the votes agree: `min_agreement` as a recipe would set it."""
    for least in sorted({one.agreement for one, _ in decided if one.value is not None}):
        agreeing = [(one, right) for one, right in decided if one.value is not None and one.agreement >= least]
        share = sum(right for _, right in agreeing) / len(agreeing)
        print(f"  {f'majority, agreement {least:.2f} and up':<34} {len(agreeing) / len(decided):>8.1%} {share:>15.1%}")


def _same(kind: Kind) -> Same:
    def same(one: str, two: str) -> bool | None:
        found = equal(one, two, kind)
        if found is not None:
            return found
        verdict = judge().rule([(one, two)])[one, two]
        return verdict == "same" if verdict in ("same", "different") else None

    return same


if __name__ == "__main__":
    sys.exit(main())
