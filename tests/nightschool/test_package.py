"""Packages: what a recipe may ask for, which files go along, and what the card says."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from blocks.devices import Gpu
from blocks.preflight.package import package_checks, quantised_check
from nightschool.card import Contents, card
from nightschool.errors import RecipeError
from nightschool.gates import interval
from nightschool.licences import warnings
from nightschool.lineage import lineage
from nightschool.package import adapter_config, base_name, goes_along, sums
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.report.terminal import summary_lines
from nightschool.report.verdict import conclude
from nightschool.training.merge_job import Alike, Merged
from tests.nightschool import example_report
from tests.nightschool.test_report_sentences import bare

CUDA = Gpu("nvidia", 0, "NVIDIA H200", 141 * 10**9, 0)


def recipe(*sets: str) -> Recipe:
    return load_recipe(find_recipe("quickstart"), sets=sets)


def packed(found: Recipe, **changes: Any) -> str:
    given: dict[str, Any] = {"stage": "dpo", "forms": ("adapter",), "merged": None, "learned": {"sft": 412, "dpo": 97}}
    return card(found, example_report.example(), Contents(**given | changes))


@pytest.mark.parametrize(("sets", "told"), [
    (["package.stages=[sft, dop]"], "dop is no stage of this recipe.*last, sft, dpo"),
    (["sft.lora=none", "package.stages=[sft]", "package.forms=[adapter]"], "sft has no adapter"),
    (["package.forms=[pickled]"], "package.forms"),
])  # fmt: skip
def test_what_can_not_be_packed_is_refused(sets: list[str], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        recipe(*sets)


def test_stages_and_forms_that_are_left_out() -> None:
    found = recipe("package={}")
    assert found.package
    assert found.package.names(found.stages) == ("dpo",)
    assert found.package.forms_of(found.stages[-1]) == ("adapter",)
    both = recipe("package.stages=[last, sft, dpo]").package
    assert both
    assert both.names(found.stages) == ("sft", "dpo")
    whole = recipe("sft.lora=none", "package={stages: [sft]}")
    assert whole.package
    assert whole.package.forms_of(whole.stages[0]) == ("merged",)


def test_the_key_is_of_the_stage_and_the_form_and_of_nothing_else() -> None:
    def key(*sets: str) -> str:
        found = recipe(*sets)
        return lineage(found, {model.name: "transformers" for model in found.models})["package/dpo"]

    assert key() == key("package.zip=false", "package.threads=4", "gates=[]", "validate.per_topic=3", "package={}")
    assert len({key(), key("dpo.epochs=2"), key("package.forms=[merged]"), key("package.dtype=float16")}) == 4


@pytest.mark.parametrize(("name", "goes"), [
    ("chunk-00000.out/adapter_model.safetensors", True),
    ("model-00001-of-00002.safetensors", True),
    ("chat_template.jinja", True),
    ("chunk-00000.taught.jsonl", False),
    ("pytorch_model.bin", False),
    ("optimizer.pt", False),
    ("training.json", False),
    ("modeling_evil.py", False),
])  # fmt: skip
def test_only_what_is_needed_and_runs_no_code_goes_along(name: str, goes: bool) -> None:
    assert goes_along(name) is goes


def test_a_base_is_called_by_a_name_that_says_something_elsewhere() -> None:
    assert base_name("Qwen/Qwen3-1.7B") == "Qwen/Qwen3-1.7B"
    assert base_name("school:student") == "school:student"
    assert base_name("/data/secret/models/mine") == "mine"
    text = adapter_config(b'{"base_model_name_or_path": "/data/secret", "r": 8}', "Qwen/Qwen3-1.7B")
    assert orjson.loads(text) == {"base_model_name_or_path": "Qwen/Qwen3-1.7B", "r": 8}
    assert sums({"b": "2", "a": "1"}) == "1  a\n2  b\n"


def test_the_card_has_data_training_figures_and_limits() -> None:
    text = packed(recipe())
    assert text.startswith("---\nlicense: other\nlibrary_name: peft\n")
    report = example_report.example()
    assert f"{100 * report.stages[-1].accuracy.value:.1f}%" in text
    assert "| sft | base | 412 | LoRA, rank 16, alpha 32 |" in text
    assert "DPO against sft" in text
    for gate in report.gates:
        assert gate.name in text
    assert "| school:student" not in text
    assert "`school:student`" in text
    assert "$question" in text


def test_no_share_on_the_card_is_bare_and_accuracies_have_guessing_beside_them() -> None:
    alike = Alike(positions=318, mean=1e-8, largest=2e-7, same_choice=1.0)
    text = packed(recipe(), forms=("merged",), merged=Merged(dtype="float32", merged=alike, seconds=6.0))
    gates = {gate.name: interval(gate) for gate in example_report.example().gates}
    shares = [line for line in text.splitlines() if re.search(r"\d\.\d%|\d points", line)]
    assert len(shares) > 14
    for line in shares:
        if sure := gates.get(line.removeprefix("| ").partition(" | ")[0]):
            assert sure in line
        else:
            sized = re.search(r"\| \d[\d,]* \|", line)
            assert [one for one in bare(line) if one != "no n" or not sized] == [], line
    assert "An answer takes 0.212 s (0.206 s to 0.219 s) on average, one at a time (n 160)." in text
    for guess in ("where always A reaches", "| always A | 25.7% (", "| chance | 25.0% (", "always B has 27.7% ("):
        assert guess in text
    assert "the same first choice on 318 of 318." in text
    assert "Of the 420 questions 0 had been taught word for word, 3 nearly." in text


def test_the_card_warns_of_gates_that_did_not_hold() -> None:
    found = recipe()
    report = example_report.example()
    gates = tuple(gate.model_copy(update={"passed": False}) for gate in report.gates[:1])
    text = card(found, report.model_copy(update={"gates": gates}), Contents("dpo", ("adapter",), None, {}))
    assert f"**Not proven.** 1 of 1 gates did not hold: {gates[0].name}." in text


def test_the_licence_of_a_file_is_told_as_unknown() -> None:
    of_file = packed(load_recipe(find_recipe("strategyqa_small")), stage="baseline", learned={})
    assert "under the licence of who made them" in of_file.partition("## Licences")[2]
    assert "who made them" not in packed(recipe())


def test_the_card_says_what_merging_lost() -> None:
    alike = Alike(positions=318, mean=1e-8, largest=2e-7, same_choice=1.0)
    merged = Merged(dtype="float32", changed=3e-4, merged=alike, seconds=6.0)
    text = packed(recipe(), forms=("merged",), merged=merged)
    assert "318 tokens: 1.0e-08 nats lost of the 3.0e-04 that the adapter changes" in text
    assert "library_name: transformers" in text


def test_licences_of_teachers_are_told_and_warned_of() -> None:
    teachers = [
        {"name": "phi", "model": "microsoft/phi-4"},
        {"name": "gem", "model": "google/gemma-3-12b-it"},
        {"name": "odd", "model": "somebody/theirs"},
        {"name": "gpt", "model": "gpt-4.1-nano-2025-04-14", "engine": "endpoint", "urls": ["http://127.0.0.1:9/v1"]},
    ]
    found = recipe(f"teachers={orjson.dumps(teachers).decode()}", "student.model=microsoft/Phi-3.5-mini-instruct")
    told = warnings(found)
    assert [line.split("**")[1] for line in told] == ["gem", "odd", "gpt"]
    assert "must not be given away" in told[-1]
    text = packed(found)
    assert all(line in text for line in told)
    assert "license: mit\nbase_model: microsoft/Phi-3.5-mini-instruct\n" in text
    assert "| phi | `microsoft/phi-4` | MIT | yes |" in text
    assert [check.outcome for check in package_checks(found)] == ["warn"] * 3


def test_hostile_text_stays_in_its_place() -> None:
    found = recipe()
    prompt = found.student and found.student.prompt.model_copy(update={"user": "```\n# mine\n$question $choices"})
    assert found.student
    student = found.student.model_copy(update={"prompt": prompt})
    text = packed(found.model_copy(update={"student": student}))
    assert "````text\n```\n# mine" in text


def test_quantised_is_refused_where_it_can_not_be_made() -> None:
    assert quantised_check("nf4", []).outcome == "fail"
    assert "CUDA" in quantised_check("fp8", []).detail
    assert quantised_check("fp8", [CUDA]).detail == "llmcompressor is not installed"


def test_the_summary_names_the_folder() -> None:
    from nightschool.report.packed import Packed

    report = conclude(example_report.example(), ())
    one = Packed(stage="dpo", folder="runs/nights/n/package/dpo", zip="n-dpo.zip", bytes=2**20, forms=("adapter",))
    lines = summary_lines(report.model_copy(update={"packages": (one,)}))
    assert "  package    runs/nights/n/package/dpo (adapter and card, 1 MiB, zip beside it)" in lines
