"""Which change makes a phase anew: the field, the file, the engine or the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from nightschool.lineage import lineage
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.reuse import Past, reasons

SMOKE = find_recipe("smoke")


def engines(recipe: Recipe) -> dict[str, str]:
    return {model.name: "scripted" for model in recipe.models}


def past(recipe: Recipe) -> Past:
    keys = lineage(recipe, engines(recipe))
    return Past(recipe, engines(recipe), dict(keys), dict(keys.rules))


def why(*sets: str, before: Sequence[str] = (), **changed: str) -> dict[str, str]:
    old, new = load_recipe(SMOKE, sets=before), load_recipe(SMOKE, sets=sets)
    now = engines(new) | changed
    return reasons(past(old), new, now, lineage(new, now))


def test_what_changes_only_the_wall_clock_makes_nothing_anew() -> None:
    assert why("serve.concurrency=3", "name=other", "teachers.0.price_in=2") == {}


@pytest.mark.parametrize(
    ("changes", "phase", "because"),
    [
        (["answers.temperature=0.9"], "answers", "answers.temperature 0.7 -> 0.9"),
        (["answers.temperature=0.9"], "dpo", "answers.temperature 0.7 -> 0.9"),
        (["seed=8"], "questions", "seed 7 -> 8"),
        (["committee.verifier=none"], "pool", "committee.verifier solver -> none"),
        (["teachers.0.script=null", "teachers.0.dtype=float32"], "answers", "teachers.0.dtype none -> float32"),
        (["answers.samples=2", "balance.max_rows=9"], "committee", "answers.samples 1 -> 2"),
        (["answers.samples=2", "balance.max_rows=9"], "balance", "answers.samples 1 -> 2; balance.max_rows none -> 9"),
        (["pairs=null", "dpo=null", "gates=[]"], "timing", "dpo was left out"),
        (["validate.per_topic=9", "validate.seeds=[1]", "validate.chunk_rows=3", "seed=1", "topics=[series]"],
         "timing", "seed 7 -> 1; topics changed; validate.per_topic 8 -> 9; 2 more"),
    ],
)  # fmt: skip
def test_the_field_that_changed_is_named_for_all_that_it_makes_anew(
    changes: list[str], phase: str, because: str
) -> None:
    assert why(*changes)[phase].startswith(because)


def test_nothing_before_a_change_has_a_reason_nor_a_phase_that_is_new() -> None:
    assert why("balance.max_rows=9").keys() == {"balance", "sft", "pairs", "dpo", "validate", "timing", "package"}
    learnt = why("dpo.beta=0.3", before=["student=null", "sft=null", "validate=null", "pairs=null", "dpo=null",
                                         "school=null", "package=null", "gates=[]"])  # fmt: skip
    assert learnt == {}


def test_a_prompt_is_told_by_its_file(tmp_path: Path) -> None:
    prompts = SMOKE.parent / "prompts" / "tiny"
    (tmp_path / "mine.txt").write_text((prompts / "answers.txt").read_text("utf-8"), "utf-8")
    before = load_recipe(SMOKE, sets=[f"answers.prompt={tmp_path}/mine.txt"])
    (tmp_path / "mine.txt").write_text("[system]\nThink.\n[user]\n$question\n$choices\n", "utf-8")
    after = load_recipe(SMOKE, sets=[f"answers.prompt={tmp_path}/mine.txt"])
    found = reasons(past(before), after, engines(after), lineage(after, engines(after)))
    assert found["answers"] == found["committee"] == f"{tmp_path}/mine.txt changed"
    resolved = tmp_path / "recipe.resolved.yaml"
    resolved.write_text(dump_recipe(before), "utf-8")
    again = reasons(past(load_recipe(resolved)), after, engines(after), lineage(after, engines(after)))
    assert again == found, "a night on file knows its prompts' files"


def test_a_file_of_questions_is_told_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "maths.jsonl"
    file.write_text('{"question": "1 + 1?"}\n', "utf-8")
    sets = [f"pool.file={file}", "pool.per_topic=null", "pool.top_up=none", "questions=null", "answers.reply=text",
            "answers.value=integer", "committee.verifier=none", "student=null", "sft=null", "validate=null",
            "pairs=null", "dpo=null", "package=null", "gates=[]"]  # fmt: skip
    before = load_recipe(SMOKE, sets=sets)
    file.write_text('{"question": "1 + 1?"}\n{"question": "1 + 2?"}\n', "utf-8")
    after = load_recipe(SMOKE, sets=sets)
    found = reasons(past(before), after, engines(after), lineage(after, engines(after)))
    assert set(found.values()) == {"maths.jsonl changed"}


def test_an_engine_and_rules_are_reasons_too() -> None:
    assert why(alba="vllm")["answers"] == "engine of alba scripted -> vllm"
    recipe = load_recipe(SMOKE)
    then = past(recipe)
    keys = lineage(recipe, engines(recipe))
    older = replace(then, keys=keys | {"pool": "older"}, rules={**keys.rules, "pool": 0})
    assert reasons(older, recipe, engines(recipe), keys) == {
        "pool": f"nightschool's rules changed: pool 0 -> {keys.rules['pool']}"
    }


def test_what_was_accepted_once_is_a_reason_as_long_as_it_stays() -> None:
    first, second = load_recipe(SMOKE), load_recipe(SMOKE, sets=["answers.temperature=0.9"])
    pins = past(first).pins("answers")
    keys = lineage(second, engines(second), pins)
    stale = Past(second, engines(second), dict(keys), keys.rules, {"answers": "answers.temperature 0.7 -> 0.9"})
    found = reasons(stale, second, engines(second), lineage(second, engines(second)))
    assert found["answers"] == found["committee"] == "answers.temperature 0.7 -> 0.9"
    assert "pool" not in found
