"""What a night gives up: as little as ends in time, and no sooner than it must."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.estimate import Estimate, Outlook
from nightschool.giving_up import Chosen, Decision, decide, options
from nightschool.recipe.window import Fallback

LIGHT = Fallback(name="light-rl", sets={"dpo.epochs": 1, "dpo.questions": 150}, until="pairs")
FEWER = Fallback(name="fewer-samples", sets={"answers.samples": 2}, until="answers")
NO_RL = Fallback(name="no-rl", sets={"pairs": None, "dpo": None}, until="pairs")
ALL = (LIGHT, FEWER, NO_RL)
ORDER = ("questions", "answers", "sft", "pairs", "dpo", "validate", "arena")
SLOW = {"questions": 10.0, "answers": 40.0, "sft": 10.0, "pairs": 10.0, "dpo": 20.0, "validate": 10.0}


def night(costs: Mapping[str, float], chosen: Chosen = ()) -> Outlook:
    names = {one.name for one in chosen}
    times = {phase: seconds for phase, seconds in costs.items() if phase in ORDER}
    if "fewer-samples" in names and "answers" in times:
        times["answers"] /= 2
    for phase in ("pairs", "dpo"):
        if "no-rl" in names:
            times.pop(phase, None)
        elif "light-rl" in names and phase in times:
            times[phase] /= 2
    return Outlook(tuple(Estimate(phase, times[phase]) for phase in ORDER if phase in times))


def told(left_s: float, before: str, costs: Mapping[str, float] = SLOW, margin: float = 0.0) -> Decision:
    place = ORDER.index(before)
    ahead = {phase: seconds for phase, seconds in costs.items() if ORDER.index(phase) >= place}
    alive = [one for one in ALL if ORDER.index(one.until or "") >= place]
    return decide(left_s, lambda chosen: night(ahead, chosen), alive, margin=margin,
                  last_call=lambda one: one.until == before)  # fmt: skip


def names(chosen: Chosen) -> list[str]:
    return [one.name for one in chosen]


@pytest.mark.parametrize(
    ("left_s", "before", "word", "with_", "now"),
    [
        (100, "questions", "fits", [], []),
        (99, "questions", "fits", ["light-rl"], []),  # there is time to say so before pairs
        (84, "questions", "fits", ["fewer-samples"], []),
        (84, "answers", "fits", ["light-rl"], []),
        (74, "answers", "fits", ["fewer-samples"], ["fewer-samples"]),
        (65, "answers", "fits", ["no-rl"], []),
        (55, "answers", "fits", ["light-rl", "fewer-samples"], ["fewer-samples"]),
        (45, "answers", "fits", ["fewer-samples", "no-rl"], ["fewer-samples"]),
        (35, "answers", "overruns", [], []),
        (49, "pairs", "fits", [], []),
        (39, "pairs", "fits", ["light-rl"], ["light-rl"]),
        (15, "pairs", "fits", ["no-rl"], ["no-rl"]),
        (9, "validate", "overruns", [], []),
    ],
)
def test_as_little_as_ends_in_time_and_no_sooner_than_it_must(left_s, before, word, with_, now):
    found = told(left_s, before)
    assert (found.word, names(found.gives_up), names(found.now)) == (word, with_, now)


def test_a_validated_student_comes_before_what_the_night_does_with_it_then():
    late = {**SLOW, "arena": 500.0}
    assert told(100, "questions", late).word == "proves"
    assert names(told(100, "questions", late).gives_up) == []
    assert names(told(61, "answers", late).gives_up) == ["no-rl"]


def test_an_estimate_may_fall_short_by_its_margin():
    assert told(100, "questions", margin=0.0).gives_up == ()
    assert names(told(100, "questions", margin=0.1).gives_up) == ["light-rl"]


def test_what_changes_the_same_thing_is_not_chosen_together():
    assert [names(one) for one in options(ALL)] == [
        ["light-rl"], ["fewer-samples"], ["no-rl"], ["light-rl", "fewer-samples"], ["fewer-samples", "no-rl"]
    ]  # fmt: skip


def test_a_choice_that_leaves_no_recipe_is_none():
    found = decide(50, lambda chosen: None if chosen else night(SLOW), ALL, margin=0, last_call=lambda one: True)
    assert found.word == "overruns"


@given(st.floats(1, 200), st.sampled_from(ORDER[:-1]), st.floats(0, 1))
def test_what_is_said_to_fit_does_and_nothing_smaller_would(left_s, before, margin):
    found = told(left_s, before, margin=margin)
    if found.word == "fits":
        assert found.outlook.seconds * (1 + margin) <= left_s
    if found.gives_up:
        assert found.whole.seconds * (1 + margin) > left_s
    assert set(names(found.now)) <= set(names(found.gives_up))
    if found.word == "overruns":
        assert not found.gives_up
