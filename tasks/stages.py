"""The student's stages in the store: what each is made from, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nightschool.chunks import Chunk, Manifest, split
from nightschool.lineage import place
from nightschool.recipe.stages import BASE, Learner, Stage
from tasks import balance, critique, questions, school
from tasks.night import Night


@dataclass(frozen=True, slots=True)
class Weights:
    """A stage as it can be loaded: a model's folder or hub id, and the adapter on it if there is one."""

    model: str
    adapter: Path | None = None


def learner(night: Night) -> Learner:
    """Who learns in a night in which somebody does."""
    found = night.recipe.learner
    assert found is not None
    return found


def of_kind(night: Night, kind: str) -> list[Stage]:
    """The stages of a phase, "sft" or "dpo"."""
    return [stage for stage in night.recipe.stages if stage.kind == kind] if night.recipe.learner else []


def training(night: Night, name: str) -> Chunk:
    """The chunk in which a stage is trained."""
    stage = learner(night).stage(name)
    ordinal = [one.name for one in of_kind(night, stage.kind)].index(name)
    held = [stage.reference] if stage.kind == "dpo" and stage.reference != stage.start else []
    after = [
        *(manifest for _, manifest in night.made([*_taught(night, stage)])),
        *(manifest for before in (stage.start, *held) for manifest in made_from(night, before)),
    ]
    return night.chunk(place(learner(night), name), 0, ordinal, f"{name} of the student", rows=0, after=after)


def sampling(night: Night, name: str) -> list[Chunk]:
    """The chunks of pairs that a dpo stage learns from."""
    stage, section = learner(night).stage(name), night.recipe.pairs
    assert section is not None
    after = [manifest for _, manifest in night.made(balance.out(night))]
    after += [] if stage.start == BASE else made_from(night, stage.start)
    runs = split(range(balance.lessons(night)), section.chunk_rows)
    turn = [one.name for one in of_kind(night, "dpo")].index(name)
    of = f" for {name}" if len(of_kind(night, "dpo")) > 1 else ""
    return [
        night.chunk(
            f"pairs/{name}",
            index,
            turn * len(runs) + index,
            f"pairs chunk {index + 1}/{len(runs)}{of}",
            rows=len(rows),
            after=after,
        )
        for index, rows in enumerate(runs)
    ]


def made_from(night: Night, name: str) -> list[Manifest]:
    """What the base or a stage was made by: the school or nothing for base, else its training."""
    student = learner(night).student
    chunks = school.chunk_of(night, student) if name == BASE else [training(night, name)]
    return [manifest for _, manifest in night.made(chunks)]


def output(night: Night, name: str) -> Path:
    """Where a stage lies once its chunk is whole."""
    return night.store.path(training(night, name), "out")


def rendered(night: Night, name: str) -> Path:
    """The stage whose prompts, as they were trained, tell how the base or a stage must read them: its own."""
    return output(night, learner(night).stages[0].name if name == BASE else name)


def weights(night: Night, name: str) -> Weights:
    """What is loaded for the base or a stage."""
    if name == BASE:
        return Weights(night.model_path(learner(night).student))
    stage = learner(night).stage(name)
    if stage.whole:
        return Weights(str(output(night, name)))
    return Weights(weights(night, stage.under).model, output(night, name))


def _taught(night: Night, stage: Stage) -> Iterator[Chunk]:
    """Where the rows lie that a stage learns."""
    if stage.kind == "dpo" and stage.answers:
        yield from sampling(night, stage.name)
        return
    if {"answers", "questions"} & set(stage.teaches):
        yield from balance.out(night)
    if "questions" in stage.teaches:
        yield from questions.chunks(night)
    if "critiques" in stage.teaches:
        yield from critique.chunks(night)
