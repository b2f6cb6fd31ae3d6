"""The registry on the command line: a table, one in full, for a program, and for another machine."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app
from nightschool.errors import RecipeError
from nightschool.registry import registry


def told(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def test_the_table_lists_all_and_says_why_not() -> None:
    shown = told("--on", "1x80", "--for", "serving").stdout
    assert all(entry.hub in shown for entry in registry().models)
    assert "On 1 x 80 GB" in shown
    assert "no: bf16 takes" not in shown.split("Qwen/Qwen3-32B")[1].splitlines()[0]
    assert "such devices would hold it" in shown
    assert told().exit_code == 0  # this machine, whatever it has


def test_one_in_full_has_flags_that_can_be_copied() -> None:
    shown = told("gptopenai/gpt-oss-120b-instruct", "--on", "2x48").stdout
    assert "gptopenai/gpt-oss-120b-instruct is openai/gpt-oss-120b on the hub." in shown
    assert "vllm serve openai/gpt-oss-120b --tensor-parallel-size 2 --reasoning-parser openai_gptoss" in shown
    assert "tensor_parallel: 2, reasoning_parser: openai_gptoss" in shown


def test_for_a_program() -> None:
    found = json.loads(told("microsoft/phi-4", "--on", "1x24", "--json").stdout)
    [entry] = found["models"]
    assert entry["hub"] == "microsoft/phi-4"
    assert [way["devices"] for way in entry["training"]] == [0, 0, 1]
    assert entry["serving"][0]["why_not"]


@pytest.mark.parametrize("arguments", [("no-such-model",), ("--on", "much"), ("Qwen/Qwen3-72B",)])
def test_a_slip_is_told(arguments: tuple[str, ...]) -> None:
    assert isinstance(told(*arguments).exception, RecipeError)
