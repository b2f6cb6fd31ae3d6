"""Two nights held against each other: paired where rows are the same, by Newcombe's interval where not, and said so."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from scipy.stats import binomtest

from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.records import Measured
from nightschool.report import comparison_text as text
from nightschool.report.comparing import Told, comparison
from nightschool.report.comparison_page import render
from nightschool.report.figures import Funnel, Report
from nightschool.report.grid import accuracy
from nightschool.report.measure import measure_stage
from nightschool.report.proof import Estimate
from nightschool.report.unpaired import apart
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import GATES, example, night, unjudged
from tests.nightschool.example_rows import answered, measured
from tests.nightschool.test_report_render import HOSTILE, Elements

RECIPE = load_recipe(find_recipe("smoke"))


def share(right: int, n: int) -> Estimate:
    low, high = binomtest(right, n).proportion_ci(method="wilson")
    return Estimate(value=right / n, low=float(low), high=float(high), n=n)


def told(rows: list[Measured], name: str = "first", sets: tuple[str, ...] = (), **parts: object) -> Told:
    """A night with one measured stage; rows of another night are the same where their ids are."""
    found = Report(night=night(name=name, keys={}), stages=(measure_stage("sft", rows),)).model_copy(update=parts)
    return Told(load_recipe(find_recipe("smoke"), sets=sets), found, {"sft": rows})


def renamed(rows: list[Measured], start: int) -> list[Measured]:
    """The same rows as answers to questions that begin elsewhere."""
    moved = {f"q{n}": f"q{n + start}" for n in range(len(rows))}
    return [row.model_copy(update={"question": moved[row.question], "id": f"{moved[row.question]}@{row.seed}"})
            for row in rows]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    # Newcombe 1998, table II, method 10, with the signs of after - before.
    [((48, 80), (56, 70), 0.0524, 0.3339), ((3, 10), (9, 10), 0.1705, 0.8090), ((0, 10), (10, 10), 0.6075, 1.0)],
)
def test_newcombes_own_examples(before: tuple[int, int], after: tuple[int, int], low: float, high: float) -> None:
    found = apart("it", share(*before), share(*after))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.p is None


def test_the_unpaired_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    pairs = zip(rng.binomial(60, 0.55, 1500), rng.binomial(90, 0.7, 1500), strict=True)
    found = [apart("it", share(int(a), 60), share(int(b), 90)) for a, b in pairs]
    assert 0.935 < np.mean([one.low <= 0.15 <= one.high for one in found]) < 0.975


def test_the_same_questions_are_paired_and_a_small_steady_gain_is_seen() -> None:
    rng = random.Random(1)
    truths = [("A", "A" if rng.random() < 0.5 else "B") for _ in range(400)]
    better = [(truth, "A" if value == "A" or rng.random() < 0.06 else "B") for truth, value in truths]
    found = comparison(told(answered(truths)), told(answered(better), "second"))
    [stage] = found.stages
    assert (stage.paired, stage.on) == (True, "paired: the same 400 questions")
    assert stage.right.gain.significant
    assert stage.right.gain.p is not None
    assert text.headline(found) == "The student of second is better"
    apart_found = comparison(told(answered(truths)), told(renamed(answered(better), 400), "second"))
    [unpaired] = apart_found.stages
    assert unpaired.on == "not paired: they were asked other questions"
    assert unpaired.right.gain.p is None
    assert not unpaired.right.gain.significant, "what the same questions show, other ones hide"
    assert text.headline(apart_found) == "No significant difference between the students"


@pytest.mark.parametrize(
    ("start", "rows", "on"),
    [
        (0, 40, "paired: the same 40 questions"),
        (10, 40, "paired: the 30 questions that both were asked"),
        (30, 40, "not paired: only 10 of 40 questions are the same"),
        (40, 40, "not paired: they were asked other questions"),
        (0, 10, "paired: the 10 questions that both were asked"),
    ],
)
def test_it_says_which_rows_it_compares(start: int, rows: int, on: str) -> None:
    before = answered([("A", "A")] * 40)
    found = comparison(told(before), told(renamed(answered([("A", "B")] * rows), start), "second"))
    [stage] = found.stages
    assert stage.on == on
    assert stage.right.gain.value == -1.0


def test_shares_are_those_of_the_rows_that_are_compared() -> None:
    before = answered([("A", "A")] * 20 + [("A", "B")] * 20)
    found = comparison(told(before), told(answered([("A", "A")] * 20), "second"))
    [stage] = found.stages
    assert (stage.right.before.value, stage.right.after.value, stage.right.gain.value) == (1.0, 1.0, 0.0)


def test_answers_that_are_gone_leave_their_figures() -> None:
    before = told(answered([("A", "A")] * 40))
    found = comparison(Told(before.recipe, before.report), told(answered([("A", "B")] * 40), "second"))
    [stage] = found.stages
    assert stage.on == "not paired: the answers of one night are no longer in its store"
    assert (stage.right.before.value, stage.right.after.value) == (1.0, 0.0)


def test_a_night_beside_itself_differs_in_nothing() -> None:
    rows = {name: measured(name) for name in ("base", "sft", "dpo")}
    own = Told(RECIPE, example(), rows)
    found = comparison(own, own)
    assert (found.recipe, found.around) == ((), ())
    assert [(one.right.gain.value, one.right.gain.p) for one in found.stages] == [(0.0, 1.0)] * 3
    assert [one.right.after for one in found.stages] == [accuracy(rows[one.stage]) for one in found.stages]
    assert not any(gate.turned for gate in found.gates)
    assert {row[3] for row in text.funnel_table(found)[1]} == {"as many"}


def test_last_stages_of_other_names_are_held_against_each_other() -> None:
    rows = answered([("A", "A")] * 40)
    other = told(rows, "second", stages=(measure_stage("late", rows),))
    found = comparison(told(rows), Told(other.recipe, other.report, {"late": rows}))
    assert [one.name for one in found.stages] == ["late over sft"]
    assert found.stages[0].paired


def test_gates_that_turned_come_first_and_funnels_say_why() -> None:
    good = example()
    worse = conclude(unjudged().model_copy(update={
        "stages": good.stages[:2], "night": night(name="second"),
        "funnel": (Funnel(step="written", total=10, dropped={"<b>bad": 4}), *good.funnel[1:]),
    }), GATES)  # fmt: skip
    found = comparison(Told(RECIPE, good), Told(load_recipe(find_recipe("smoke"), sets=["seed=8"]), worse))
    assert "gates hold no longer: dpo-gain, format" in text.lede(found)
    assert found.alone == {"first": ("dpo",), "second": ()} or found.stages[-1].name == "sft over dpo"
    [written] = [row for row in text.funnel_table(found)[1] if row[0] == "written"]
    assert written[2:] == ["10", "\N{MINUS SIGN}2,390 (\N{MINUS SIGN}99.6%)", "<b>bad 0 -> 4"]
    assert text.recipe_table(found)[1] == [["seed", "7", "8", "yes"]]


def test_the_page_holds_its_figures_and_runs_nothing() -> None:
    rows = measured("sft")
    bad = HOSTILE.replace("\n", " ")
    found = comparison(
        told(rows), told(measured("dpo"), "second", ("answers.samples=3", "seed=9"), night=night(name=bad, verdict=bad))
    )
    page = re.sub(r'<span class="sure">(.*?)</span>', r"\1", render(found))
    assert not Elements(page).all("script")
    assert not Elements(page).all("img")
    for table in (text.stage_table, text.recipe_table, text.funnel_table, text.gates_table, text.times_table):
        for row in table(found)[1]:
            assert all(cell in page for cell in row if cell and "<" not in cell and ">" not in cell)
