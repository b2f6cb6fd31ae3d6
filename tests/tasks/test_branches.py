"""Gates that the night waits for, in a real store: who is measured when, what is skipped, and what stops."""

from __future__ import annotations

import pytest

from blocks.scripted.local import Script, scripted
from nightschool.errors import GateFailed
from nightschool.wire import Endpoint
from tasks import branches, dpo, holding, pairs, sft, timing, validate
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.step import Step
from tests.half_night import Make
from tests.tasks.conftest import fill, serving
from tests.tasks.test_rounds import trained

STUDENT = ("pairs={samples: 4}", "dpo={learning_rate: 1e-4}", "validate={per_topic: 25, seeds: [0]}")
GATE = "{{name: good, metric: accuracy, stage: sft, at_least: {at_least}, on_failure: {on_failure}}}"


def gated(make: Make, *, on_failure: str, at_least: float, name: str = "half") -> Night:
    gate = GATE.format(on_failure=on_failure, at_least=at_least)
    return make(*STUDENT, f"gates=[{gate}]", name=name)


def taught(night: Night, accuracy: float) -> None:
    """The night as far as its first stage, which is right so often, and measured at once."""
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    trained(night, "sft")
    script = {"models": {"base": {"accuracy": 0.3}, "sft": {"accuracy": accuracy}}}
    with scripted(Script.model_validate(script)) as at:
        served = {name: Endpoint(model=name, urls=(at,)) for name in ("base", "sft")}
        for name in branches.asked(night, "sft"):
            for chunk in validate.STEP.of(name).chunks(night):
                make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)


def parts(night: Night, *steps: Step) -> list[str]:
    return [f"{chunk.phase}/{chunk.part}" for step in steps for chunk in step.chunks(night)]


def test_what_builds_on_a_stage_that_failed_is_skipped(make: Make) -> None:
    night = gated(make, on_failure="skip", at_least=0.9)
    assert branches.asked(night, "sft") == ("sft",), "nobody else is asked so early"
    assert branches.skipped(night) == {}, "nothing is known yet"
    taught(night, 0.4)
    assert branches.skipped(night) == {"dpo": "good"}
    holding.hold(night)
    assert parts(night, sft.STEP, pairs.STEP, dpo.STEP, timing.STEP) == ["sft/sft"]
    assert {chunk.part for chunk in validate.chunks(night)} == {"base", "sft"}


def test_a_gate_that_holds_skips_nothing(make: Make) -> None:
    night = gated(make, on_failure="skip", at_least=0.6)
    taught(night, 1.0)
    assert branches.skipped(night) == {}
    assert "dpo/dpo" in parts(night, dpo.STEP)


def test_a_gate_that_stops_names_its_figure_and_another_limit_lets_the_night_go_on(make: Make) -> None:
    night = gated(make, on_failure="stop", at_least=0.9)
    taught(night, 0.4)
    assert holding.stopped(night) == "good"
    with pytest.raises(GateFailed, match=r"gate good stops the night: sft accuracy is .*wanted: at least 90%"):
        holding.hold(night)
    softer = gated(make, on_failure="stop", at_least=0.0)
    assert branches.skipped(softer) == {}
    holding.hold(softer)


def ruled(make: Make, gate: str) -> Night:
    """A night whose committee has ruled, and on whose rows a gate is."""
    night = make(*STUDENT, f"gates=[{gate}]")
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers")
        holding.hold(night)
        assert branches.skipped(night) == {}, "nothing is known yet"
        fill(night, served, "committee")
    return night


def test_votes_that_are_not_good_enough_leave_every_stage_out(make: Make) -> None:
    night = ruled(make, "{name: votes, metric: vote_accuracy, at_least: 1, by: interval, on_failure: skip}")
    assert branches.skipped(night) == {"sft": "votes", "dpo": "votes"}
    assert parts(night, sft.STEP, pairs.STEP, dpo.STEP, timing.STEP) == []
    assert {chunk.part for chunk in validate.chunks(night)} == {"base"}


def test_too_few_rows_stop_the_night_before_anything_is_trained(make: Make) -> None:
    night = ruled(make, "{name: enough, metric: taught_rows, at_least: 999, on_failure: stop}")
    assert holding.stopped(night) == "enough"
    with pytest.raises(GateFailed, match=r"gate enough stops the night: taught rows is \d+; wanted: at least 999"):
        holding.hold(night)


def test_held_out_questions_that_are_taught_stop_it_too(make: Make) -> None:
    holding.hold(ruled(make, "{name: unseen, metric: contamination, at_most: 0, on_failure: stop}"))


def test_no_gate_no_early_question(make: Make) -> None:
    night = make(*STUDENT, "gates=[{name: good, metric: accuracy, stage: sft, at_least: 0.9}]")
    assert branches.asked(night, "sft") == ()
