"""Plan 002's disaster on real StrategyQA labels: a filter that drops Yes more often, found, told and mended.

The filter is the plan's own: a row stays if the teacher's answer is the truth. Teachers are the real outputs of three
models (../shared/data/committee), and before them the plan's own, at its rates.

    python -m benchmarks.skew_replay
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from nightschool.balance import Card, Method, fates
from nightschool.report.shares import Shares, Step, measure_shares
from nightschool.values.read import read

DATA = Path(os.environ.get("NIGHTSCHOOL_DATA", "../shared/data"))
MODELS = ("gpt4", "gpt-3.5-turbo", "text003")
METHODS: tuple[Method, ...] = ("downsample", "upsample", "weights")
# Of its 91 rows whose truth is Yes plan 002 kept 39, of its 109 whose truth is No 98.
STAYS = {"yes": 39 / 91, "no": 98 / 109}
MOST_SKEW = 0.1


class Replay(NamedTuple):
    """One filter on one set of labels: shares before, after, and after each way of mending towards the target."""

    name: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    target: Mapping[str, float]
    mended: Mapping[Method, Shares]


def labels() -> dict[str, str]:
    """Truth by question id, of StrategyQA's published training questions."""
    rows = orjson.loads((DATA / "strategyqa" / "train.json").read_bytes())
    return {row["qid"]: "yes" if row["answer"] else "no" for row in rows}


def replays() -> Iterator[Replay]:
    """The plan's own filter first, then agreement with each real model."""
    truths = labels()
    rng = random.Random(2)
    yield replay("plan 002's teacher", truths, {row for row, truth in truths.items() if rng.random() < STAYS[truth]})
    for model in MODELS:
        said, known = answers(model), questions()
        yield replay(model, known, {row for row, truth in known.items() if said.get(row) == truth})


def replay(name: str, truths: Mapping[str, str], stays: set[str]) -> Replay:
    """Filters, then mends towards the shares that there were before."""
    before = Counter(truths.values())
    after = Counter(truths[row] for row in truths if row in stays)
    target = {answer: count / before.total() for answer, count in before.items()}
    cards = [Card(row, truths[row]) for row in sorted(truths) if row in stays]
    mended: dict[Method, Shares] = {}
    for method in METHODS:
        mass: Counter[str] = Counter()
        for card, fate in zip(cards, fates(cards, method=method, seed=7, target=target, most_copies=4), strict=True):
            mass[card.cls] += fate.copies * fate.weight  # pyright: ignore[reportArgumentType]
        steps = [Step("agreement with the truth", before, after), Step("balance", after, mass)]
        found = measure_shares("answer", steps, wanted=target, most_skew=MOST_SKEW)
        assert found is not None
        mended[method] = found
    return Replay(name, before, after, target, mended)


def questions() -> dict[str, str]:
    """Truth by question id, of the questions that the real models answered."""
    rows = _lines("strategyqa__questions_test.jsonl")
    return {str(row["id"]): _yes_no(row["answer"]) for row in rows}


def answers(model: str) -> dict[str, str]:
    """What the model said by question id, read from its whole completion."""
    found: dict[str, str] = {}
    for row in _lines(f"strategyqa_{model}_COT.jsonl"):
        text = row["completion"] if isinstance(row["completion"], str) else str(row["completion"][0])
        value = read(text, "yes_no").value
        if value:
            found[str(row["id"])] = value
    return found


def _yes_no(value: object) -> str:
    return "yes" if str(value).strip().lower() in ("true", "yes", "1") else "no"


def _lines(name: str) -> list[dict]:
    return [orjson.loads(line) for line in (DATA / "committee" / name).read_bytes().splitlines() if line.strip()]


def main() -> None:
    """Prints one line for each filter and way of mending, then what the report says."""
    print(f"{'filter':<20} {'rows':>11} {'yes before':>10} {'after':>7} {'w':>5} {'V':>5}  mended by")
    for one in replays():
        step = next(iter(one.mended.values())).steps[1]
        total, left = sum(one.before.values()), sum(one.after.values())
        told = ", ".join(f"{method} {found.steps[-1].shares['yes']:.1%}" for method, found in one.mended.items())
        print(f"{one.name:<20} {total:>5} {left:>5} {one.target['yes']:>10.1%} {one.after['yes'] / left:>7.1%} "
              f"{step.w:>5.2f} {step.v or 0:>5.2f}  {told}")  # fmt: skip
        print(f"  {next(iter(one.mended.values())).warning or 'no warning: within the limit'}")


if __name__ == "__main__":
    main()
