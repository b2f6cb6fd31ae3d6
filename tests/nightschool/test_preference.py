"""The schedule of a preference loss: what holds in which epoch."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nightschool.recipe.learning import Dpo

# Plan 002, Phase C.
PLAN: dict[str, Any] = {
    "learning_rate": 1e-5,
    "epochs": 4,
    "beta": 0.1,
    "schedule": [
        {"epochs": 1, "beta": 0.05},
        {"epochs": 2, "cal": "center"},
        {"epochs": 1, "cal": "center", "robust": "drop"},
    ],
}


def test_plan_002s_schedule_is_read_as_it_stands() -> None:
    section = Dpo.model_validate(PLAN)
    assert [(one.beta, one.cal, one.robust) for one in map(section.at, range(5))] == [
        (0.05, "none", "none"),
        (0.1, "center", "none"),
        (0.1, "center", "none"),
        (0.1, "center", "drop"),
        (0.1, "center", "drop"),  # a trainer's state may say 4.0 at its very end
    ]
    assert section.at(3).drop_share == 0.15
    assert not section.at(1).plain
    assert section.at(0).plain


def test_without_a_schedule_every_epoch_is_alike() -> None:
    section = Dpo.model_validate({"learning_rate": 1e-5, "cal": "paper"})
    assert section.at(0) == section.at(7)
    assert section.at(0).cal == "paper"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"epochs": 3}, "4 epochs are planned and 3 are trained"),
        ({"epochs": 3.5}, "4 epochs are planned and 3.5 are trained"),
        ({"loss": ["ipo"]}, "a schedule is of the sigmoid loss"),
        ({"schedule": [], "cal": "paper", "loss": ["hinge"]}, "cal and robust change the sigmoid loss"),
        ({"schedule": [], "loss": ["sigmoid", "sft"], "loss_weights": [1.0]}, "1 weights for 2 losses"),
        ({"schedule": [], "loss": ["exo_pair"]}, "exo_pair has no value"),
        ({"schedule": [], "loss": ["hinge"], "label_smoothing": 0.1}, "no loss here knows it"),
        ({"loss": ["kto"], "schedule": []}, "Input should be 'sigmoid'"),
        ({"drop_share": 1.0}, "less than 1"),
    ],
)
def test_what_does_not_go_together_is_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        Dpo.model_validate({**PLAN, **change})
