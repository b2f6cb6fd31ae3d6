"""Keys chain: what a change renames, and what it leaves alone."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

import pytest

import nightschool
from nightschool import school, tune
from nightschool.identity import key
from nightschool.lineage import Keys, lineage
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.school.puzzle import Puzzle
from nightschool.tinymodels import spec
from nightschool.tinymodels.corpus import digest

ASKED = {f"{phase}/{teacher}" for phase in ("questions", "answers") for teacher in ("alba", "bruno", "clara")}
DATA = {"pool", "committee", "balance", *ASKED}
ANSWERED = {place for place in DATA if not place.startswith(("questions", "pool"))}
LEARNT = {"sft/sft", "pairs/dpo", "dpo/dpo", "validate/sft", "validate/dpo", "timing/dpo", "package/dpo"}


def keys(*sets: str, pins: Mapping[str, str] | None = None, engines: Mapping[str, str] | None = None) -> Keys:
    recipe = load_recipe(find_recipe("smoke"), sets=sets)
    names = [model.name for model in recipe.models]
    return lineage(recipe, dict.fromkeys(names, "scripted") | {"student": "transformers"} | dict(engines or {}), pins)


def renamed(*sets: str, **engines: str) -> set[str]:
    before, after = keys(), keys(*sets, engines=engines)
    return {place for place in before | after if before.get(place) != after.get(place)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("dpo.beta=0.2", {"dpo/dpo", "validate/dpo", "timing/dpo", "package/dpo"}),
        ("validate.timed=3", {"timing/dpo"}),
        ("validate.per_topic=3", {"validate/base", "validate/sft", "validate/dpo", "timing/dpo"}),
        ("pairs.samples=5", {"pairs/dpo", "dpo/dpo", "validate/dpo", "timing/dpo", "package/dpo"}),
        ("sft.epochs=2", LEARNT),
        ("balance.by=[answer]", {"balance", *LEARNT}),
        ("committee.confidence=logprobs", ANSWERED | LEARNT),
        ("committee.min_agreement=0.9", {"committee", "balance", *LEARNT}),
        ("answers.temperature=0.1", ANSWERED | LEARNT),
        ("questions.max_tokens=99", DATA | LEARNT),
        ("student.temperature=0.1", {"validate/base", "validate/sft", "validate/dpo", "timing/dpo"}),
    ],
)
def test_a_change_renames_all_that_depends_on_it_and_nothing_else(change: str, expected: set[str]) -> None:
    assert renamed(change) == expected


@pytest.mark.parametrize(
    "change",
    [
        "serve.concurrency=7", "serve.attempts=9", "serve.threads=2", "answers.chunks_in_flight=1", "sft.threads=1",
        "serve.replicas=2", "serve.gpus=[0]", "serve.placement=sequential", "serve.extra_args=[--seed=1]",
        "max_failed_chunks=3", "store=elsewhere", "name=other", "description=x", "gates=[]",
    ],
)  # fmt: skip
def test_what_changes_only_the_wall_clock_renames_nothing(change: str) -> None:
    assert renamed(change) == set()


MODULES = [import_module(f"nightschool.{found.name}") for found in iter_modules(nightschool.__path__)]
# A search is known by its own key, nightschool.tune.
RULES = [module for module in MODULES if hasattr(module, "RULES_VERSION") and module is not tune]


@pytest.fixture(scope="module")
def recipes() -> list[Recipe]:
    chosen = ("filters={format: {}}", "review=skip", "committee.to_review=[tie]")
    others = [
        load_recipe(find_recipe(name))
        for name in ("smoke", "critique", "self_guided", "drafts_small", "two_agents", "ensemble")
    ]
    return [load_recipe(find_recipe("strategyqa_small"), sets=chosen), *others]


@pytest.mark.parametrize("rules", RULES, ids=lambda module: module.__name__)
def test_a_rule_that_changed_renames_what_it_makes(
    rules: ModuleType, recipes: list[Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> list[Keys]:
        return [lineage(each, dict.fromkeys([one.name for one in each.models], "scripted")) for each in recipes]

    before = found()
    monkeypatch.setattr(rules, "RULES_VERSION", rules.RULES_VERSION + 1)
    assert found() != before


def test_one_teacher_on_another_engine_keeps_the_others_questions() -> None:
    found = renamed(alba="vllm")
    assert "questions/alba" in found
    assert "questions/bruno" not in found
    assert "answers/bruno" in found  # its questions come from the pool, which alba writes for as well


class Totals:
    """A topic of somebody's own."""

    name = "totals"
    title = "Totals"

    def generate(self, rng: random.Random, level: int) -> Puzzle:
        one, two = rng.randint(11, 99), rng.randint(11, 99)
        wrong = (str(one + two + 1), str(one + two + 2), str(one + two + 3))
        return Puzzle(
            self.name, f"What is {one} plus {two}?", str(one + two), wrong, f"{one} plus so {one + two}", level
        )

    def solve(self, question: str) -> str:
        one, two = re.findall(r"\d+", question)
        return str(int(one) + int(two))


def test_another_topic_is_another_school_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    others = load_recipe(find_recipe("strategyqa"))
    engines = dict.fromkeys([one.name for one in others.models], "vllm")
    before, elsewhere = keys(), lineage(others, engines)
    monkeypatch.setitem(cast("dict[str, Totals]", school.TOPICS), "totals", Totals())
    after = keys()
    renamed_by_it = {place for place in before if before[place] != after[place]}
    assert {"school/random", "sft/sft", "validate/base", "timing/dpo"} <= renamed_by_it
    assert not renamed_by_it & {"pool", "committee", *ASKED}, "scripted teachers know of no school"
    assert lineage(others, engines) == elsewhere


def test_the_first_topics_leave_the_keys_of_the_schools_models_as_they_were() -> None:
    made = [run for kind in ("trained", "random") for run in spec.runs(spec.SchoolSection(kind=kind, seed=3))]
    assert {digest(run) for run in made} == {spec.FIRST_TOPICS}
    run = next(run for run in spec.runs(spec.SchoolSection(kind="random")) if run.name == "random")
    bare = key("school", spec.RULES_VERSION, run.model_dump(mode="json"))
    assert keys("school={kind: random, seed: 0}")["school/random"] == bare


def test_a_prompts_text_counts_and_not_its_file(tmp_path: Path) -> None:
    source = find_recipe("smoke").parent / "prompts" / "tiny" / "answers.txt"
    moved, edited = tmp_path / "moved.txt", tmp_path / "edited.txt"
    moved.write_text(source.read_text("utf-8"), "utf-8")
    edited.write_text(source.read_text("utf-8") + "Think first.\n", "utf-8")
    assert renamed(f"answers.prompt={moved}") == set()
    assert "answers/alba" in renamed(f"answers.prompt={edited}")
    assert "questions/alba" not in renamed(f"answers.prompt={edited}")


def test_what_is_pinned_stays_and_what_follows_builds_on_it() -> None:
    before = keys()
    pins = {place: name for place, name in before.items() if place.startswith("answers/")}
    assert keys("answers.temperature=0.1", pins=pins) == before
    after = keys("answers.temperature=0.1", "balance.by=[answer]", pins=pins)
    assert {place for place in before if before[place] != after[place]} == {"balance", *LEARNT}


@pytest.mark.parametrize(
    ("change", "asked_otherwise"),
    [
        ("answers.temperature=0.1", True),
        ("answers.samples=2", True),
        ("answers.prompt={system: null, user: '$question $choices'}", True),
        ("seed=8", True),
        ("answers.chunk_rows=7", False),
        ("questions.per_topic=9", False),
        ("pool.per_topic=9", False),
        ("topics=[series]", False),
        ("committee.min_agreement=0.9", False),
    ],
)
def test_what_is_asked_goes_by_model_prompt_and_sampling_and_not_by_which_rows(
    change: str, asked_otherwise: bool
) -> None:
    before, after = keys(), keys(change)
    assert before.asks.keys() == ASKED
    assert (before.asks["answers/alba"] != after.asks["answers/alba"]) == asked_otherwise
    assert after.asks["questions/alba"] == before.asks["questions/alba"] or change == "seed=8"
    assert keys(engines={"alba": "vllm"}).asks["answers/alba"] != before.asks["answers/alba"]


def test_the_rules_that_made_a_night_are_known() -> None:
    assert keys().rules.keys() == {place.partition("/")[0] for place in keys()}
    assert min(keys().rules.values()) >= 1


def test_the_keys_of_the_smoke_night_are_these() -> None:
    """Golden: a rule whose output changed must change its RULES_VERSION, and then these change with it."""
    assert keys().keys() == {
        "school/random", *DATA, *LEARNT, "validate/base",
    }  # fmt: skip
