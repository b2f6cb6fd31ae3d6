"""Models that the registry knows: wrong names get the right one at `check`, sizes are the models' own."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.preflight.preflight import preflight
from blocks.preflight.weights import find_weights
from nightschool.recipe.recipe import Recipe

PROMPT = {"system": None, "user": "$question $choices"}


@pytest.mark.parametrize(("wrong", "right"), [
    ("gptopenai/gpt-oss-120b-instruct", "openai/gpt-oss-120b"),
    ("qwen-2.5-math-7b", "Qwen/Qwen2.5-Math-7B"),
    ("Qwen/Qwen3-72B", "Qwen/Qwen3-32B"),
])  # fmt: skip
def test_check_says_the_right_name(wrong: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    recipe = Recipe.model_validate({
        "name": "small", "store": str(tmp_path),
        "teachers": [{"name": "ann", "model": wrong, "engine": "vllm"}],
        "pool": {"per_topic": 10, "top_up": "generator"}, "answers": {"prompt": PROMPT}, "committee": {"quorum": 1},
    })  # fmt: skip
    [found] = [check for check in preflight(recipe) if check.name == "model of ann"]
    assert (found.outcome, found.mend) == ("fail", f"model: {right}")


@pytest.mark.parametrize(("model", "size"), [
    ("microsoft/phi-4", 29e9),  # no billions in its name
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 218e9),  # the active ones in its name
])  # fmt: skip
def test_sizes_are_the_registrys(model: str, size: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert find_weights(model).size == size
