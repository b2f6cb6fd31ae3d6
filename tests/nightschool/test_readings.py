"""What a gate of votes or rows reads of a report, with its interval where it has one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nightschool.gates import judge
from nightschool.recipe.gate import Gate
from nightschool.report.figures import Funnel, Report
from nightschool.report.shares import Step, measure_shares
from nightschool.sitting import sit
from tests.nightschool.example_report import night
from tests.nightschool.test_report_votes import RULINGS, measured
from tests.nightschool.test_sitting import ruled


def of_rows() -> Report:
    """Of 20 questions 14 were accepted, people took 2 more, a filter dropped 3, 4 were held out and 1 over its share;
    the balance repeated the rest to 11 rows."""
    steps = (("written", 50, {}), ("asked", 20, {}), ("agreed", 14, {}), ("reviewed", 16, {}), ("length", 13, {}),
             ("to train on", 9, {}), ("balanced", 11, {"over_share": 1}), ("trained", 11, {}))  # fmt: skip
    found = measured(sit([*RULINGS, ruled("7", None, None), ruled(None, None, None)]))
    funnel = tuple(Funnel(step=name, total=total, dropped=dropped) for name, total, dropped in steps)
    shares = measure_shares("answer", [Step("committee", {"A": 8, "B": 8}, {"A": 9, "B": 3})], wanted=None, most_skew=9)
    assert shares
    return Report(night=night(), funnel=funnel, votes=found, shares=(shares,))


@pytest.mark.parametrize(
    ("gate", "value", "passed"),
    [
        ({"metric": "accepted_share", "at_least": 0.8}, 0.8, True),
        ({"metric": "accepted_share", "at_least": 0.8, "by": "interval"}, 0.8, False),
        ({"metric": "kept_share", "at_least": 0.5}, 0.4, False),
        ({"metric": "taught_rows", "at_least": 8}, 8.0, True),
        ({"metric": "least_class_share", "at_least": 0.3}, 0.25, False),
        ({"metric": "vote_accuracy", "at_least": 0.9}, 0.9, True),
        ({"metric": "vote_accuracy", "at_least": 0.9, "by": "interval"}, 0.9, False),
        ({"metric": "abstentions", "at_most": 0.2}, 3 / 14, False),
        ({"metric": "agreement", "at_least": 0.7}, (7 + 4 * 2 / 3 + 0.5 + 1 / 3) / 13, True),
    ],
)
def test_votes_and_rows_are_gated(gate: dict[str, Any], value: float, passed: bool) -> None:
    found = judge(Gate(name="g", **gate), of_rows())
    assert (found.value, found.passed) == (pytest.approx(value, abs=1e-4), passed)
    if gate["metric"] not in ("taught_rows", "least_class_share"):
        assert "95% interval" in found.detail


def test_rows_that_were_counted_whole_have_no_interval() -> None:
    with pytest.raises(ValidationError, match="taught_rows has no interval"):
        Gate(name="g", metric="taught_rows", at_least=9, by="interval")
    assert judge(Gate(name="g", metric="taught_rows", at_least=1500), of_rows()).detail.endswith(
        "wanted: at least 1,500"
    )
