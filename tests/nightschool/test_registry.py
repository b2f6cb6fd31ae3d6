"""The registry of models: every entry whole, its figures in accord with each other, wrong names set right."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.registry import Entry, registry

DENSE = [entry for entry in registry().models if entry.shape and entry.shape.inner]


@pytest.mark.parametrize("entry", DENSE, ids=lambda entry: entry.hub)
def test_parameters_follow_from_the_shape(entry: Entry) -> None:
    shape, params = entry.shape, entry.params
    assert shape
    assert params
    counted = shape.embeddings + shape.layers * sum(into * out for into, out in shape.linear)
    # Norms and positions are left out, and Gemma 3 has 0.4 billion parameters more for pictures.
    assert 0.9 * params <= counted / 1e9 <= 1.01 * params


@pytest.mark.parametrize(("hub", "kib"), [
    ("openai/gpt-oss-120b", 72), ("Qwen/Qwen2.5-14B-Instruct", 192), ("microsoft/phi-4", 200),
    ("mistralai/Mistral-Nemo-Instruct-2407", 160), ("Qwen/Qwen3-8B", 144), ("Qwen/Qwen3-14B", 160),
    ("Qwen/Qwen3-32B", 256), ("Qwen/Qwen3-4B-Base", 144), ("microsoft/Phi-3.5-mini-instruct", 384),
    ("Qwen/Qwen2.5-Math-7B", 56),
])  # fmt: skip
def test_keys_and_values_of_a_token(hub: str, kib: int) -> None:
    assert registry().named(hub).kv_bytes == 1024 * kib


def test_plan_003_has_its_thirteen() -> None:
    named = [entry.plans["003"] for entry in registry().models if "003" in entry.plans]
    assert len(named) + sum("003" in each.plans for each in registry().nothing) == 13


@pytest.mark.parametrize(("wrong", "right"), [
    ("gptopenai/gpt-oss-120b-instruct", "openai/gpt-oss-120b"),
    ("qwen-2.5-math-7b", "Qwen/Qwen2.5-Math-7B"),
    ("gemma3-12b", "google/gemma-3-12b-it"),
    ("Qwen 3 72B", "Qwen/Qwen3-32B"),
    ("PHI-4", "microsoft/phi-4"),
])  # fmt: skip
def test_a_wrong_name_is_set_right(wrong: str, right: str) -> None:
    correction = registry().correction(wrong)
    assert correction
    assert correction[0] == right


def test_right_and_strange_names_are_left_alone() -> None:
    assert registry().correction("Qwen/Qwen3-8B") is None
    assert registry().correction("somebody/theirs-7B") is None


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="Qwen/Qwen3-32B"):
        registry().named("qwen3-32")


@pytest.mark.parametrize(("change", "told"), [
    ("{hub: a/b, context: 5, licence: MIT, teaches: 'yes'}", "params and weights"),
    ("{hub: a/b, params: 1, weights: {bf16: 2}, context: 5, licence: X, teaches: 'no'}", "terms"),
    ("{hub: a/b, params: 1, weights: {bf17: 2}, context: 5, licence: X, teaches: 'yes'}", "bf17"),
    ("{hub: a/b, also: [c], params: 1, weights: {bf16: 2}, context: 5, licence: X, teaches: 'yes'}\n"
     "  - {hub: c/c, also: [c], params: 1, weights: {bf16: 2}, context: 5, licence: X, teaches: 'yes'}", "already"),
])  # fmt: skip
def test_a_slip_is_told_with_its_line(tmp_path: Path, change: str, told: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(f"models:\n  - {change}\n")
    with pytest.raises(RecipeError, match=rf"models\.yaml:[123].*{told}"):
        registry(file)
