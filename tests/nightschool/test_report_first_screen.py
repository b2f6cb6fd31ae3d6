"""The first screen in words that fit the night, and one colour for a stage on the whole page."""

from __future__ import annotations

from nightschool.report.figures import LossPoint
from nightschool.report.page import plots_of, render
from nightschool.report.proof import Critiques
from tests.nightschool.example_report import example


def test_a_gate_that_only_warns_is_not_said_to_have_held() -> None:
    first, *others = example().gates
    page = render(
        example().model_copy(
            update={"gates": (first.model_copy(update={"passed": False, "on_failure": "warn"}), *others)}
        )
    )
    assert "no phase failed; 1 gate did not hold, and only warns." in page
    assert "every gate held" not in page
    assert "every gate held" in render(example())


def test_a_stage_has_one_colour_on_the_page_though_another_answers_nothing() -> None:
    curve = (LossPoint(step=1, loss=0.7), LossPoint(step=2, loss=0.5))
    stages = [one.model_copy(update={"name": f"stage-{place}"}) for place, one in enumerate(example().stages)]
    log = {"asker": curve, **{one.name: curve for one in stages[1:]}}
    drawn = plots_of(example().model_copy(update={"stages": tuple(stages), "losses": log}))["losses"]
    assert isinstance(drawn, list)
    for plot, colour in zip(drawn, ("third", "fourth", "accent"), strict=True):
        assert plot is not None
        assert f"var(--{colour})" in plot.svg


def test_a_night_of_judgements_says_on_its_first_screen_how_many() -> None:
    judgements = {"ann": {"right": 3, "wrong": 3}}
    found = Critiques(questions=2, judgements=judgements, per_question={}, left_out={}, dropped={})
    first, _, _ = render(example().model_copy(update={"critiques": found})).partition('id="what-broke"')
    assert "6 critiques (50.0% right) of 2 questions" in first
