"""What the methods paragraph says of the proof: the recipe's own numbers, and nothing of a part that is missing."""

from __future__ import annotations

import math
import re
from functools import cache

import pytest

from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.report.ablated import Ablation, Attribution, Shown
from nightschool.report.arena import Arena, Standing
from nightschool.report.figures import Report
from nightschool.report.methods import methods
from nightschool.report.predicted import Counted, Ensemble, Voted
from nightschool.report.proof import Estimate
from nightschool.report.quality import Compared
from nightschool.report.times import Times
from tests.nightschool.example_report import night, unjudged
from tests.nightschool.test_report_methods import NUMBER, numbers
from tests.nightschool.test_timing import timed

HALF = Estimate(value=0.5, low=0.4, high=0.6, n=96)
# Words that only one part's sentences have.
PARTS = {
    "times": "one request after the other",
    "ablations": "in the draft's place",
    "arena": "everyone against everyone",
    "quality": "each shown in both orders",
    "ensemble": "An ensemble of",
    "stages": "limits that were set before it",
}


def ablation() -> Ablation:
    found = Attribution(questions=77, own=HALF, shuffled=HALF, tokens=0.4, apart=None, complete=HALF, worst=0.03,
                        steps=64)  # fmt: skip
    shown = (Shown(variant="no_draft", right=HALF, change=None), Shown(variant="majority", right=HALF, change=None))
    return Ablation(stage="cot", drafter="base", as_is=HALF, shown=shown, attribution=found)


def arena(*players: str) -> Arena:
    told = [Standing(name=one, writes=one, answers=one, questions=9, valid=HALF, stumps=HALF, right=HALF, wins=HALF,
                     title=HALF) for one in players]  # fmt: skip
    return Arena(questions=20, players=tuple(told), matches=(), writers=())


def judged() -> Compared:
    return Compared(ours="asker", theirs="alba", judge="clara", pairs=12, wins=6, ties=1, losses=5, unread=0, rate=HALF,
                    p=1.0, first=HALF, agree=HALF, longer=HALF, even=HALF)  # fmt: skip


def ensemble(recipe: Recipe) -> Ensemble:
    assert recipe.predict
    voter = Voted(name="ensemble", answered=HALF, right=HALF)
    rules = tuple(Counted(strategy=name, own=not name, decided=HALF) for name in ("majority", "unanimous"))
    return Ensemble(night="n", problems=97, models=("strong", "quick"), templates=tuple(recipe.predict.templates),
                    rounds=recipe.predict.rounds, by={}, voters=(voter,), rules=rules, checked=31)  # fmt: skip


@cache
def contest() -> Times:
    return timed("answers", 5.0)


def night_of(name: str, *sets: str) -> tuple[Recipe, Report]:
    """A recipe, and a night that has every figure of it."""
    recipe = load_recipe(find_recipe(name), sets=list(sets))
    found = Report(
        night=night(seed=recipe.seed, versions={}),
        stages=unjudged().stages if recipe.learner else (),
        votes=unjudged().votes, funnel=unjudged().funnel,
        times=(contest(),) if recipe.validate_ and recipe.validate_.contest else (),
        ablations=(ablation(),) if recipe.ablate else (),
        arena=arena("base", "night", "alba") if recipe.arena else None,
        quality=(judged(),) if recipe.quality else (),
        ensemble=ensemble(recipe) if recipe.predict else None,
    )  # fmt: skip
    return recipe, found


@pytest.mark.parametrize(
    ("name", "sets", "told"),
    [
        ("smoke", ["validate.contest=aaipl"], "in batches of 5, 100 of its 100 requests; it allows 9 s for each, "
         "9 s on average and 900 s in all"),
        ("strategyqa", [], "To see whether cot uses the drafts of base, it was asked the same questions with no "
         "draft and one draft for all in the draft's place"),
        ("strategyqa", [], "told on 77 of these questions by integrated gradients from the mean embedding, in 64 "
         "steps at most; rows whose attributions do not add up within 5%"),
        ("two_agents", ["arena.per_topic=17", "arena.questions=13"], "base, night and alba played everyone against "
         "everyone: each wrote 17 questions on each topic"),
        ("two_agents", ["arena.questions=13"], "matches of 13 questions a side"),
        ("two_agents", ["quality.pairs=57", "quality.temperature=0.3"], "Questions of asker with alba were compared "
         "by clara (temperature 0.3, top-p 1, at most 512 tokens): at most 57 pairs"),
        ("ensemble", ["predict.rounds=4", "predict.shots=1"], "with 1 solved example, answered 97 problems, in at most "
         "4 rounds until the votes sufficed; each reply had a vote, counted by majority"),
        ("ensemble", ["committee.strategy=unanimous", "committee.voters=teachers"], "each model under a prompt had one "
         "vote, counted where they were unanimous"),
        ("ensemble", ["predict.budget.per_problem_s=7.5", "predict.budget.total_s=71"], "Its time was 7.5 s for a "
         "problem and 71 s for all of them"),
        ("ensemble", [], "Answers to 31 of them could be put into the problem"),
    ],
)  # fmt: skip
def test_it_says_the_recipes_numbers(name: str, sets: list[str], told: str) -> None:
    recipe, found = night_of(name, *sets)
    assert told in methods(recipe, found)


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        (
            "metric: accuracy, stage: sft, at_least: 0.37, by: interval",
            "sft accuracy at least 37%, by the near end of its",
        ),
        (
            "metric: accuracy_gain, stage: dpo, over: sft, at_least: 0.015",
            "dpo accuracy gain over sft at least 1.5 points",
        ),
        ("metric: latency_p99_s, stage: dpo, at_most: 4.5", "dpo latency p99 at most 4.5 s"),
        ("metric: answers_total_s, stage: dpo, at_most: 811", "dpo answers total at most 811 s"),
        ("metric: vote_accuracy, at_least: 0.81", "vote accuracy at least 81%"),
        ("metric: agreement, at_least: 0.66", "agreement at least 66%"),
        ("metric: taught_rows, at_least: 1043", "taught rows at least 1,043"),
    ],
)
def test_it_says_what_the_night_was_held_to(gate: str, told: str) -> None:
    sets = ["validate.contest=aaipl", f"gates=[{{name: g, {gate}}}]"]
    recipe, found = night_of("smoke", *sets)
    assert f"limits that were set before it: {told}" in methods(recipe, found)
    assert "limits" not in methods(recipe, Report(night=night())), "where nothing was measured"
    assert "limits" not in methods(load_recipe(find_recipe("smoke"), sets=["gates=[]"]), found)


@pytest.mark.parametrize("name", ["strategyqa", "two_agents", "ensemble", "aaipl"])
def test_every_number_of_its_proof_is_the_recipes_or_the_nights(name: str) -> None:
    recipe, found = night_of(name)
    text = methods(recipe, found)
    known = {
        95.0,
        10_000.0,
        0.05,
        5.0,
        *numbers(recipe.model_dump(mode="json")),
        *numbers(found.model_dump(mode="json")),
    }
    known |= {float(recipe.quorum), float(len(recipe.teachers))}
    spelt = re.sub(r"Versions: .*|SHA-256 \w+", "", text)
    for model in recipe.models:
        spelt = spelt.replace(model.model, "").replace(model.name, "")
    said = [float(one.replace(",", "")) for one in NUMBER.findall(spelt)]
    assert len(said) > 5
    assert [one for one in said if not any(math.isclose(one, known_one, rel_tol=1e-4) for known_one in known)] == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_figures_has_no_sentence(part: str) -> None:
    told = set[str]()
    for name in ("smoke", "strategyqa", "two_agents", "ensemble"):
        recipe, found = night_of(name, *(["validate.contest=aaipl"] if name == "smoke" else []))
        whole = methods(recipe, found)
        empty = {part: type(found).model_fields[part].get_default()}
        left = methods(recipe, found.model_copy(update=empty))
        assert PARTS[part] not in left
        told |= {words for words in PARTS.values() if words in whole}
    assert told == set(PARTS.values()), "each of them is said by some recipe"


@pytest.mark.parametrize(("name", "section", "part"), [
    ("two_agents", "arena=null", "arena"), ("two_agents", "quality=null", "quality"),
    ("ensemble", "predict=null", "ensemble"),
])  # fmt: skip
def test_a_recipe_without_the_section_has_no_sentence(name: str, section: str, part: str) -> None:
    _, found = night_of(name)
    assert PARTS[part] in methods(load_recipe(find_recipe(name)), found)
    more = ["quality=null"] if part == "arena" else []
    assert PARTS[part] not in methods(load_recipe(find_recipe(name), sets=[section, *more]), found)
