"""The skew experiment's rows: plan 002's counts, and what the leak detector says to its prompts."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.skew_task import POOL, TEST, Item, Lesson, filtered, items, rows
from nightschool.balance import Method
from nightschool.leaks import compare
from nightschool.school import TOPICS, held_out
from nightschool.values.read import read


@pytest.fixture(scope="module")
def kept() -> list[Item]:
    return filtered(items(POOL, seed=1, held_out=False), seed=1)


def test_the_filter_leaves_plan_002s_rows_in_its_skew(kept: list[Item]) -> None:
    assert Counter(one.truth for one in kept) == {"yes": 295, "no": 742}
    test = items(TEST, seed=0, held_out=True)
    assert Counter(one.truth for one in test) == TEST
    assert not {one.question for one in kept} & {one.question for one in test}


def test_a_claim_is_true_where_the_solver_says_so(kept: list[Item]) -> None:
    for one in kept[:100]:
        question, claim = one.question.removesuffix("?").split(" Is it ")
        assert not held_out(question)
        assert (TOPICS["blood_relations"].solve(question) == claim) == (one.truth == "yes")


@pytest.mark.parametrize(
    ("lesson", "others", "leaks"),
    [("answer", 0, 0), ("reasoning", 0, 0), ("leaked", 1037, 1037), ("handed", 1037, 0)],
)
def test_the_detector_finds_every_leak_and_no_other(kept: list[Item], lesson: Lesson, others: int, leaks: int) -> None:
    taught = list(rows(kept, lesson, "none", seed=1))
    found = compare(((row.id, row.prompt) for row, _ in taught), (later for _, later in taught))
    assert (found.rows, len(found.others), len(found.leaks)) == (1037, others, leaks)
    assert all(read(row.completion[0].content, "yes_no").value == later.answer for row, later in taught)


@pytest.mark.parametrize("method", ["upsample", "weights"])
def test_balanced_rows_are_as_many_and_weigh_alike(kept: list[Item], method: Method) -> None:
    mass: Counter[str] = Counter()
    taught = list(rows(kept, "answer", method, seed=1))
    for row, later in taught:
        mass[later.answer] += row.weight  # pyright: ignore[reportArgumentType]
    assert len(taught) == pytest.approx(1037, abs=1)
    assert mass["yes"] == pytest.approx(mass["no"])
    assert mass.total() == pytest.approx(1037, abs=1)
