"""The spot check's rule: who is drawn, what counts as bad, and what share of the taught rows that makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from nightschool.records import Ruling
from nightschool.report.page import render
from nightschool.report.people import spotted
from nightschool.report.terminal import summary_lines
from nightschool.report.verdict import conclude
from nightschool.review import Decision, content_of, in_force
from nightschool.spot_check import SAMPLE, draw, is_bad, measure
from tests.nightschool.example_report import GATES, unjudged
from tests.nightschool.review_cases import decision, question, ruling
from tests.nightschool.test_report_render import HOSTILE, Elements


def taught(name: str = "q1", **fields: object) -> Ruling:
    row = {"verdict": "accept", "answer": "B", "reasoning": "because", "reason": None}
    return ruling(question(name)).model_copy(update={**row, **fields})


@settings(max_examples=30)
@given(st.sets(st.text(min_size=1, max_size=4), min_size=30, max_size=60), st.integers(0, 5), st.randoms())
def test_the_draw_depends_on_a_row_alone(names: set[str], seed: int, rng: object) -> None:
    order = sorted(names)
    found = draw([(name, name) for name in order], seed=seed)
    assert len(found) == SAMPLE
    rng.shuffle(order)  # pyright: ignore[reportAttributeAccessIssue]
    assert draw([(name, name) for name in order], seed=seed) == found
    fewer = [name for name in order if name != found[3]]
    assert [name for name in draw([(name, name) for name in fewer], seed=seed) if name in found] == [
        name for name in found if name != found[3]
    ]


def test_every_row_is_drawn_as_often_as_any_other() -> None:
    counts = dict.fromkeys(range(40), 0)
    for seed in range(400):
        for number in draw([(f"q{n}", n) for n in range(40)], seed=seed):
            counts[number] += 1
    assert all(150 < count < 250 for count in counts.values())


@pytest.mark.parametrize(
    ("said", "bad"),
    [
        (decision(taught(), "accept"), False),
        (decision(taught(), "choose", answer="C"), True),
        (decision(taught(), "reject"), True),
        (decision(taught(), "edit"), False),
        (decision(taught(), "edit", reasoning="in other words"), True),
        (decision(taught(), "accept", reasoning="another teacher's"), False),
    ],
)
def test_bad_is_what_a_person_does_not_leave_standing(said: Decision, bad: bool) -> None:
    assert is_bad(taught(), said, "letter") is bad


def test_another_spelling_of_the_same_value_is_no_other_answer() -> None:
    said = decision(taught(answer="1/2"), "choose", answer="\\frac{1}{2}")
    assert not is_bad(taught(answer="1/2"), said, "latex")
    assert is_bad(taught(answer="1/2"), said.model_copy(update={"answer": "1/3"}), "latex")


def test_the_share_is_of_those_that_were_looked_at_and_has_wilsons_interval() -> None:
    rows = [taught(f"q{n}") for n in range(20)]
    said = in_force([decision(row, "reject" if n < 3 else "accept") for n, row in enumerate(rows[:17])])
    found = measure(rows, said, "letter", taught=900)
    low, high = binomtest(3, 17).proportion_ci(method="wilson")
    assert found.bad is not None
    assert (found.bad.value, found.bad.n, found.waiting) == (3 / 17, 17, 3)
    assert (found.bad.low, found.bad.high) == pytest.approx((low, high), abs=1e-9)
    assert spotted(found) == (
        "3 of 17 rows are bad: 17.6% (6.2% to 41.0%) of the 900 that are taught; 3 wait of the 20 that were drawn"
    )
    assert measure(rows, {}, "letter", taught=900).bad is None


def test_the_report_has_it_once_somebody_looked_and_the_way_to_it_before() -> None:
    rows = [taught(), taught("q2", question=question("q2").model_copy(update={"question": HOSTILE}))]
    said = {content_of(row.question): decision(row, "reject", who=HOSTILE[:80], note=HOSTILE) for row in rows}
    before = conclude(unjudged().model_copy(update={"spot_check": measure(rows, {}, "letter", taught=9)}), GATES)
    after = conclude(unjudged().model_copy(update={"spot_check": measure(rows, said, "letter", taught=9)}), GATES)
    assert "nightschool review quickstart --spot-check" in render(before)
    assert not [line for line in summary_lines(before) if "spot check" in line]
    assert [line for line in summary_lines(after) if line.startswith("  spot check 2 of 2 rows are bad: 100.0%")]
    assert after.what_next[0].startswith("Spot check: 2 of 2 rows are bad")
    page = render(after)
    assert not Elements(page).all("script")
    assert "2 of 2 rows are bad" in page
