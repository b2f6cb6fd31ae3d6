"""Gates that a night can measure load, those of the plans among them; others are refused before the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "configs" / "smoke.yaml"


def plan(number: str) -> list[dict[str, object]]:
    """The gates of a plan as docs/proof.md has them."""
    found = re.search(rf"```yaml\n(gates:  # plan {number}.*?)```", (ROOT / "docs/proof.md").read_text(), re.DOTALL)
    assert found is not None
    return yaml.safe_load(found[1])["gates"]


def test_the_gates_of_plan_000_load() -> None:
    gates = load_recipe(SMOKE, sets=["validate.contest=aaipl", f"gates={plan('000')}"]).gates
    assert [gate.on_failure for gate in gates] == ["stop", "skip", "fail", "stop", "stop"]


def test_the_gates_of_plan_002_load() -> None:
    stages = "sft=[{name: baseline, learning_rate: 1.0e-3}, {name: cot, learning_rate: 1.0e-3}]"
    found = load_recipe(SMOKE, sets=[stages, "package=null", f"gates={plan('002')}"]).gates
    assert [(gate.stage, gate.over, gate.at_least) for gate in found] == [
        ("cot", "baseline", 0.07),
        ("dpo", "baseline", 0.1),
    ]


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ("metric: accuracy, stage: sft, at_least: 1", ""),
        ("metric: latency_mean_s, stage: base, at_most: 9", "which this recipe does not time"),
        ("metric: latency_mean_s, stage: dpo, at_most: 9, on_failure: skip", "no stage is left to skip"),
        ("metric: answers_mean_s, stage: dpo, at_most: 9", "no contest says how answers are timed"),
        ("metric: vote_accuracy, at_least: 0.9, on_failure: skip", ""),
        ("metric: taught_rows, at_least: 9, by: interval", "taught_rows has no interval"),
    ],
)
def test_what_cannot_be_measured_there_is_refused(gate: str, told: str) -> None:
    sets = [f"gates=[{{name: g, {gate}}}]"]
    if not told:
        assert load_recipe(SMOKE, sets=sets).gates
        return
    with pytest.raises(RecipeError, match=told):
        load_recipe(SMOKE, sets=sets)
