"""A self-guided loop in a real store: its rounds in the order of the night, its gates, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from blocks.scripted.local import Script, scripted
from nightschool.rendering import PROBES_FILE, Probes
from nightschool.wire import Endpoint
from tasks import dpo, lessons, pairs, rounds, stages, validate
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.step import Served
from tasks.steps import STEPS
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

LOOP = (
    "pairs={samples: 4, per_question: 2}",
    "dpo={learning_rate: 1e-4, rounds: {most: 3, at_least: 0.02}}",
    "validate={per_topic: 25, seeds: [0]}",
)
FIGURES = {"rows": 4, "prompts": {"rows": 4}, "losses": []}


def trained(night: Night, name: str) -> None:
    """A stage on file, as its training would have left it."""
    chunk = stages.training(night, name)
    out = night.store.path(chunk, "out")
    out.mkdir(parents=True)
    (out / "adapter_model.safetensors").write_text(name)
    (out / PROBES_FILE).write_text(Probes(probes=()).model_dump_json())
    taught = night.store.path(chunk, "taught.jsonl")
    taught.write_text(f"{name}\n")
    night.store.commit(chunk, rows=(), dropped=(), figures={"training": FIGURES}, files=[taught, *out.iterdir()])


def walk(night: Night, served: Served) -> Iterator[str]:
    """The stages as `flows.night` has them; what is made, in order."""
    for stage in night.recipe.stages:
        for phase, part in (("rounds", stage.gate), ("pairs", stage.name)):
            for chunk in STEPS[phase].of(part).chunks(night) if part else ():
                state = make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)
                if state.name != "Cached":
                    yield f"{phase}/{chunk.part}"
        for chunk in STEPS[stage.kind].of(stage.name).chunks(night):
            if not night.store.manifest(chunk):
                yield f"{stage.kind}/{chunk.part}"
                if stage.kind == "rounds":
                    make_chunk.fn(night.store.place, night.name, night.stamp, chunk, {})
                else:
                    trained(night, stage.name)


def looped(night: Night, accuracy: Mapping[str, float]) -> list[str]:
    """The loop of a night whose student is right so often at each stage; what was made for it."""
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    with scripted(
        Script.model_validate({"models": {name: {"accuracy": each} for name, each in accuracy.items()}})
    ) as at:
        return list(walk(night, {name: Endpoint(model=name, urls=(at,)) for name in accuracy}))


def kept(night: Night) -> str:
    """Whose weights lie under the loop's name."""
    return (stages.output(night, "dpo") / "adapter_model.safetensors").read_text()


def test_a_loop_goes_on_until_a_gate_fails_and_keeps_the_round_before(make: Make) -> None:
    night = make(*LOOP)
    made = looped(night, {"sft": 0.3, "dpo-1": 0.7, "dpo-2": 0.3, "dpo-3": 0.9})
    assert made == [
        "sft/sft",
        "rounds/dpo-0", "pairs/dpo-1", "dpo/dpo-1",
        "rounds/dpo-1", "pairs/dpo-2", "dpo/dpo-2",
        "rounds/dpo-2", "rounds/dpo",
    ]  # fmt: skip
    assert kept(night) == "dpo-1"
    assert stages.weights(night, "dpo").adapter == stages.output(night, "dpo")
    told = [(row.stage, row.fate) for row in lessons.rounds(night)]
    assert told == [("sft", "start"), ("dpo-1", "kept"), ("dpo-2", "failed")]
    for step in (pairs, dpo, rounds):
        assert all(night.store.manifest(chunk) for chunk in step.chunks(night)), "nothing of it is still to come"
    assert {chunk.part for chunk in validate.chunks(night)} == {"base", "sft", "dpo"}


def test_what_is_kept_is_the_start_where_the_first_round_fails_and_the_last_where_none_does(make: Make) -> None:
    looped(worse := make(*LOOP, name="worse"), {"sft": 0.8, "dpo-1": 0.3})
    assert kept(worse) == "sft"
    better = make(*LOOP, "seed=2", name="better")
    made = looped(better, {"sft": 0.1, "dpo-1": 0.4, "dpo-2": 0.7, "dpo-3": 1.0})
    assert made[-2:] == ["rounds/dpo-3", "rounds/dpo"]
    assert kept(better) == "dpo-3"


def test_a_loop_ends_where_drafts_make_no_pairs(make: Make) -> None:
    night = make(*LOOP)
    assert looped(night, {"sft": 0.4, "dpo-1": 1.0})[-1] == "rounds/dpo"
    assert kept(night) == "dpo-1"
    assert [row.fate for row in lessons.rounds(night)] == ["start", "kept", "no_pairs"]
    for step in (pairs, dpo, rounds):
        assert all(night.store.manifest(chunk) for chunk in step.chunks(night))


def test_more_rounds_and_another_gate_pay_for_nothing_twice(make: Make, tmp_path: Path) -> None:
    accuracy = {"sft": 0.3, "dpo-1": 0.5, "dpo-2": 0.6, "dpo-3": 0.7}
    looped(make(*LOOP, "dpo.rounds.most=2"), accuracy)
    assert looped(make(*LOOP), accuracy) == ["pairs/dpo-3", "dpo/dpo-3", "rounds/dpo-3", "rounds/dpo"]
    strict = make(*LOOP, "dpo.rounds.at_least=0.9")
    assert looped(strict, accuracy) == ["rounds/dpo"]
    assert kept(strict) == "sft"


@pytest.mark.parametrize("missing", ["rounds/dpo-1", "pairs/dpo-2", "dpo/dpo-2", "rounds/dpo"])
def test_a_loop_that_was_killed_makes_what_is_missing(make: Make, missing: str) -> None:
    accuracy = {"sft": 0.3, "dpo-1": 0.5, "dpo-2": 0.7}
    looped(night := make(*LOOP, "dpo.rounds.most=2"), accuracy)
    for chunk in STEPS[missing.partition("/")[0]].of(missing.partition("/")[2]).chunks(night):
        night.store.path(chunk, "manifest.json").unlink()
    if missing.startswith("dpo/"):
        for path in stages.output(night, "dpo-2").iterdir():
            path.unlink()
        stages.output(night, "dpo-2").rmdir()
    assert looped(night, accuracy) == [missing], "what others are made from is the same as before"
    assert kept(night) == "dpo-2"
