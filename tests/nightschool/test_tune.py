"""Searches: what a section takes and refuses, what a trial is worth, what the best values become."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from nightschool.errors import RecipeError
from nightschool.recipe.load import find_recipe, load_recipe, tree_of
from nightschool.recipe.tune import Tune
from nightschool.report.figures import Night, Report
from nightschool.report.proof import Estimate
from nightschool.report.stage import Stage
from nightschool.tune import Scored, Trial, Tuned, bar, best, corners, luck, overrides, profile, score, study_key, twin
from nightschool.tune_file import load_tune
from nightschool.validate import held_out

ROOT = Path(__file__).parents[2]
RATE = {"low": 1e-4, "high": 1e-2, "log": True}


def tune(**changes: Any) -> Tune:
    return Tune.model_validate({"fields": {"sft.learning_rate": RATE, "sft.lora.r": [8, 16]}} | changes)


def trial(number: int, value: float | None, **changes: Any) -> Trial:
    state = "complete" if value is not None else "pruned"
    score = None if value is None else {"value": value}
    return Trial.model_validate(
        {"number": number, "night": f"n.{number}", "state": state, "values": {"a": number}, "score": score} | changes
    )


@pytest.mark.parametrize(("changes", "told"), [
    ({"fields": {"a": {"low": 2, "high": 1}}}, "high is not above low"),
    ({"fields": {"a": {"low": 0, "high": 1, "log": True}}}, "no power reaches zero"),
    ({"fields": {"a": {"low": 1, "high": 1.5, "whole": True}}}, "whole numbers"),
    ({"sampler": "grid"}, "a grid is of lists"),
    ({"metric": "accuracy_gain"}, "gain is over a stage"),
    ({"metric": "vote_gain", "stage": "sft"}, "of no stage"),
    ({"fields": {}}, "at least 1"),
    ({"fields": {"a": ["one"]}}, "at least 2"),
    ({"fields": {"splits.test": [0.1, 0.2]}}, "splits.test says which rows prove the student"),
    ({"fields": {"validate.side": ["test", "validation"]}}, "not to be chosen by"),
    ({"rungs": [{"validate.limit": 4}, {"validate.side": "test"}]}, "validate.side says which rows"),
])  # fmt: skip
def test_what_can_not_be_searched_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        tune(**changes)


def test_a_slip_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text("fields:\n  sft.epochs: [1, 2]\ntrails: 3\n")
    with pytest.raises(RecipeError, match=r"search\.yaml:3: trails: unknown key, did you mean trials"):
        load_tune(tmp_path / "search.yaml")


def test_the_bar_is_the_median_of_what_others_had_reached_by_then() -> None:
    falling = [((1.0, 0.9), (2.0, 0.5), (3.0, 0.7)), ((1.0, 0.8), (2.0, 0.6)), ((1.5, 0.4),)]
    assert bar(falling, 0.5, upwards=False, least=0) is None
    assert bar(falling, 1.0, upwards=False, least=2) == pytest.approx(0.85)
    assert bar(falling, 1.0, upwards=False, least=3) is None
    assert bar(falling, 9.0, upwards=False, least=3) == 0.5
    assert bar(falling, 9.0, upwards=True, least=3) == 0.8


@pytest.mark.parametrize("file", sorted((ROOT / "configs" / "tune").glob("*.yaml")), ids=lambda file: file.stem)
def test_committed_searches_fit_the_first_recipe(file: Path) -> None:
    found = load_tune(file)
    for values in corners(found):
        for rung in ({}, *found.rungs):
            assert load_recipe(find_recipe("quickstart"), sets=[*overrides(values), *overrides(rung), "gates=[]"])


def test_corners_reach_every_end_and_choice() -> None:
    found = list(corners(tune(fields={"a": RATE, "b": ["x", None], "c": {"low": 1, "high": 3, "whole": True}})))
    assert found[0] == {"a": 1e-4, "b": "x", "c": 1}
    assert {values["a"] for values in found} == {1e-4, 1e-2}
    assert {values["b"] for values in found} == {"x", None}
    assert {values["c"] for values in found} == {1, 3}


def test_a_grid_has_no_more_trials_than_combinations() -> None:
    fields = {"a": [1, 2], "b": [1, 2, 3]}
    assert tune(fields=fields, sampler="grid").count == 6
    assert tune(fields=fields, sampler="grid", trials=4).count == 4
    assert tune(fields=fields).count == 20


def test_the_best_is_by_direction_and_the_earlier_of_equals() -> None:
    trials = [trial(0, 0.3), trial(1, 0.5), trial(2, 0.5), trial(3, None), trial(4, 0.1)]
    assert [found.number for upwards in (True, False) if (found := best(trials, upwards=upwards))] == [1, 4]
    assert best([trial(0, None)], upwards=True) is None
    assert tune().upwards
    assert not tune(metric="latency_mean_s").upwards
    assert tune(metric="latency_mean_s", direction="maximize").upwards


def test_a_twin_is_a_complete_trial_of_the_same_values() -> None:
    trials = [trial(0, None, values={"a": 1}), trial(1, 0.5, values={"a": 1}), trial(2, 0.5, values={"a": 2})]
    found = twin(trials, {"a": 1})
    assert found
    assert found.number == 1
    assert twin(trials, {"a": 3}) is None


def test_the_score_is_of_the_stage_or_of_the_last_that_was_reached() -> None:
    def stage(name: str, value: float) -> Stage:
        share = Estimate(value=value, low=value - 0.1, high=value + 0.1, n=10)
        return Stage(name=name, accuracy=share, valid_share=1.0, valid_low=1.0, valid_high=1.0)

    night = Night.model_validate({"name": "n", "recipe": "r", "started": "2026-01-01T00:00:00Z"})
    report = Report(night=night, stages=(stage("base", 0.3), stage("sft", 0.5)))

    def known(how: Tune) -> Scored:
        found = score(how, report)
        assert found
        return found

    guess = {"always no": Estimate(value=0.4, low=0.3, high=0.5, n=10)}
    report = report.model_copy(update={"baselines": guess})
    assert known(tune(stage="dpo")).value == 0.5
    base = known(tune(stage="base"))
    assert (base.low, base.high, base.n, base.baselines) == (pytest.approx(0.2), pytest.approx(0.4), 10, guess)
    assert known(tune(metric="valid_share")).value == 1.0
    assert known(tune(metric="valid_share")).baselines == {}, "nothing to guess"
    assert score(tune(), Report(night=night)) is None
    assert score(tune(metric="vote_gain"), report) is None


def test_best_values_become_a_profile_of_the_recipe(tmp_path: Path) -> None:
    values = {"sft.learning_rate": 2e-4, "sft.lora.r": 8, "teachers.0.model": "school:bruno"}
    tree = tree_of(find_recipe("quickstart"), sets=overrides(values))
    found = profile(tree, values)
    assert found["sft"] == {"learning_rate": 2e-4, "lora": {"r": 8}}
    assert [teacher["name"] for teacher in found["teachers"]] == ["alba", "bruno", "clara"]
    file = tmp_path / "best.yaml"
    file.write_text(yaml.safe_dump(found))
    by_profile = load_recipe(find_recipe("quickstart"), profile=str(file))
    assert by_profile == load_recipe(find_recipe("quickstart"), sets=overrides(values))


def test_trials_of_another_recipe_or_search_are_no_guide() -> None:
    def named(*sets: str, **changes: Any) -> str:
        return study_key(load_recipe(find_recipe("smoke"), sets=sets), tune(**changes))

    assert named() == named("serve.concurrency=3", "gates=[]", "name=other", trials=3)
    assert len({named(), named("sft.epochs=2"), named(metric="valid_share"), named(rungs=[{"dpo": None}])}) == 4


def test_what_is_chosen_by_is_not_what_proves() -> None:
    given = {"per_topic": 20, "levels": (1, 2), "seed": 7}
    test, other = (held_out(["series", "seating"], **given, side=side) for side in ("test", "validation"))
    assert len(test) == len(other) == 40
    assert not {row.question for row in test} & {row.question for row in other}
    assert test == held_out(["series", "seating"], **given)


def test_the_page_tells_all_trials_each_figure_with_its_interval_and_n() -> None:
    from nightschool.report.tuning import render

    guess = {"always <B>": {"value": 0.26, "low": 0.21, "high": 0.31, "n": 300}}
    best_one = {"value": 0.31, "low": 0.2, "high": 0.4, "n": 300, "baselines": guess}
    trials = [
        trial(0, 0, values={"sft.lora.r": 8, "b": "<x>"}, score=best_one, seconds=61.0),
        trial(1, None, values={"sft.lora.r": 80, "b": "y"}, rungs=[{**best_one, "value": 0.21}], why="after rung 1"),
        trial(2, None, values={"sft.lora.r": 16, "b": "y"}, state="failed", why="loss exploded"),
        trial(3, 0, values={"sft.lora.r": 8, "b": "y"}, score={**best_one, "value": 0.3}, seconds=60.0),
    ]
    given = {"name": "t", "recipe": "quickstart", "metric": "accuracy", "stage": None, "upwards": True, "wanted": 5}
    page = render(Tuned.model_validate({**given, "trials": trials, "best": 0, "profile": "best.yaml"}))
    assert "Trial 0 is best: 31.0% (20.0% to 40.0%, n 300)" in page
    assert "where always &lt;B&gt; reaches 26.0% (21.0% to 31.0%, n 300)" in page
    assert "the best of 2 looks" in page
    assert "30.5% (30.0% to 31.0%)" in page, "by value: the mean, and how far trials lie apart"
    shown = re.sub(r"<svg.*?</svg>|<[^>]*>", "", page.partition("</style>")[2], flags=re.DOTALL)
    shown = re.sub(r"\d+\.\d% \([\d.]+% to [\d.]+%(?:, n \d+)?\)", "", shown)
    assert not re.search(r"\d\.\d%", shown), "no score is bare"
    assert "after rung 1" in page
    assert "loss exploded" in page
    assert "&lt;x&gt;" in page
    assert "<x>" not in page
    assert "No trial is complete yet" in render(Tuned.model_validate({**given, "trials": []}))


def test_what_luck_gives_the_best_of_many_is_the_expected_largest_of_so_many_draws() -> None:
    error = 0.03
    ends = {"low": 0.5 - 1.959964 * error, "high": 0.5 + 1.959964 * error}
    rng = np.random.default_rng(5)
    for looks in (2, 5, 20):
        trials = [trial(n, 0, score={"value": 0.5, **ends}) for n in range(looks)]
        found = luck([*trials, trial(99, None)], trials[0])
        assert found[0] == looks
        assert found[1] == pytest.approx(rng.normal(0, error, (200_000, looks)).max(axis=1).mean(), rel=0.06)
    assert luck(trials[:1], trials[0]) == (1, None)
