"""Which fields of two recipes differ, by their paths, and which of them decide the result."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.lineage import lineage
from nightschool.recipe.differences import differences
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe

SMOKE = find_recipe("smoke")
BEFORE = load_recipe(SMOKE)


def changed(*sets: str) -> list[tuple[str, object, object, bool]]:
    return [
        (one.field, one.before, one.after, one.decides) for one in differences(BEFORE, load_recipe(SMOKE, sets=sets))
    ]


@pytest.mark.parametrize(
    ("sets", "found"),
    [
        ([], []),
        (["answers.temperature=0.9"], [("answers.temperature", 0.7, 0.9, True)]),
        (["serve.concurrency=3"], [("serve.concurrency", 32, 3, False)]),
        (["sft.learning_rate=0.5"], [("sft.learning_rate", 0.001, 0.5, True)]),
        (["teachers.1.price_in=2"], [("teachers.bruno.price_in", 0.0, 2.0, False)]),
        (["validate.seeds=[1, 2]"], [("validate.seeds", [0], [1, 2], True)]),
        (["answers.samples=2", "name=other"], [("answers.samples", 1, 2, True), ("name", "smoke", "other", False)]),
    ],
)
def test_a_field_is_told_by_its_path_with_both_values(sets: list[str], found: list[object]) -> None:
    assert changed(*sets) == found


def test_a_part_that_came_or_went_is_whole_and_an_order_is_no_new_part() -> None:
    [gone] = differences(BEFORE, BEFORE.model_copy(update={"gates": BEFORE.gates[1:]}))
    assert (gone.field, gone.after) == (f"gates.{BEFORE.gates[0].name}", None)
    assert gone.before["name"] == BEFORE.gates[0].name
    [section] = differences(BEFORE, BEFORE.model_copy(update={"balance": None}))
    assert (section.field, section.after, section.decides) == ("balance", None, True)
    [order] = differences(BEFORE, BEFORE.model_copy(update={"teachers": BEFORE.teachers[::-1]}))
    assert order.field == "teachers: their order"


def test_a_prompt_is_its_words_wherever_its_file_lies(tmp_path: Path) -> None:
    prompt = BEFORE.answers.prompt

    def other(**fields: str) -> Recipe:
        answers = BEFORE.answers.model_copy(update={"prompt": prompt.model_copy(update=fields)})
        return BEFORE.model_copy(update={"answers": answers})

    [moved] = differences(BEFORE, other(file="elsewhere.txt"))
    assert (moved.field, moved.decides) == ("answers.prompt.file", False)
    [said] = differences(BEFORE, other(user=f"{prompt.user}\nThink first."))
    assert (said.field, said.decides) == ("answers.prompt.user", True)


@settings(max_examples=25)
@given(
    st.sets(
        st.sampled_from([
            "serve.concurrency=3", "teachers.0.price_in=2", "max_failed_rows=0.5", "name=other", "sft.threads=1",
            "answers.temperature=0.9", "seed=8", "sft.learning_rate=0.5", "validate.per_topic=9", "pairs.samples=3",
        ])
    )
)  # fmt: skip
def test_keys_move_exactly_when_a_field_that_decides_does(sets: set[str]) -> None:
    after = load_recipe(SMOKE, sets=sorted(sets))
    engines = {model.name: "scripted" for model in after.models}
    decided = any(one.decides for one in differences(BEFORE, after))
    assert decided == (dict(lineage(BEFORE, engines)) != dict(lineage(after, engines)))
