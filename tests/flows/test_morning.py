"""What Prefect shows of a night that is done, by its gates."""

from __future__ import annotations

from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State

from flows.morning import ended
from nightschool.errors import GateFailed
from nightschool.recipe.gate import Gate
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import unjudged

pytestmark = pytest.mark.usefixtures("prefect_harness")


@flow(name="night", persist_result=False)
def morning_of(figures: dict[str, Any]) -> dict[str, Any] | State:
    return ended(figures)


def figures(**gate: Any) -> dict[str, Any]:
    gates = [Gate(name="good-enough", metric="accuracy", stage="dpo", at_least=0.99, **gate)]
    return conclude(unjudged(), gates).model_dump(mode="json")


def test_a_failed_gate_is_a_failed_night_and_a_warning_one_by_name() -> None:
    failed = morning_of(figures(), return_state=True)
    assert failed.is_failed()
    with pytest.raises(GateFailed, match="1 of 1 gates failed: good-enough"):
        failed.result()
    found = figures(on_failure="warn")
    warned = morning_of(found, return_state=True)
    assert (warned.name, warned.is_completed()) == ("CompletedWithWarnings", True)
    assert "good-enough" in str(warned.message)
    assert morning_of(found) == found
