"""The gates of self-guided loops: the student measured after every round, and the last good one kept."""

from __future__ import annotations

import shutil

from nightschool import rounds
from nightschool.chunks import Chunk
from nightschool.recipe.choosing import closed
from nightschool.recipe.learning import Dpo
from nightschool.recipe.stages import Stage
from nightschool.records import Measured
from nightschool.rounds import SIDE, Course
from tasks import branches, held_out, stages
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    found: list[Chunk] = []
    left_out = branches.skipped(night)
    for loop in (one for one in stages.of_kind(night, "rounds") if one.name not in left_out):
        count, known = held_out.count_of(night, SIDE), stages.Known()
        passed = range(course(night, loop).last + 1)
        found += [stages.gate(night, loop, number, rows=count, known=known) for number in passed]
        found.append(stages.training(night, loop.name, known))
    return found


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    loops = stages.of_kind(night, "rounds")
    loop = next(loop for loop in loops if chunk.part in (loop.name, *stages.gates(loop)))
    if chunk.part == loop.name:
        return _keep(night, chunk, loop)
    name = stages.measured_at(loop, stages.gates(loop).index(chunk.part))
    return held_out.measure(night, chunk, name, served[name], held_out.rows(night, SIDE))


def course(night: Night, loop: Stage) -> Course:
    """A loop as far as it has come, by the gates that were measured."""
    known = stages.Known()
    made = night.made([stages.gate(night, loop, number, known=known) for number in range(loop.round + 1)])
    digests = " ".join(f"{chunk.part} {manifest.digest}" for chunk, manifest in made)
    gates = night.once(f"gates of {loop.name} {digests}", lambda: _gates(night, loop, [chunk for chunk, _ in made]))
    ahead = sum(gate.passed for gate in gates)  # the start is one of them
    dry = ahead if 2 <= ahead <= loop.round and _no_pairs(night, f"{loop.name}-{ahead}") else None
    return rounds.course(gates, loop.round, without_pairs=dry)


def begins(night: Night, stage: Stage) -> bool:
    """Whether a stage is trained, as far as is known: a round behind a gate that failed is not."""
    if stage.name in branches.skipped(night):
        return False
    return not stage.passing or stage.round <= course(night, stages.learner(night).stage(stage.loop)).last


def drafted(night: Night, stage: Stage) -> bool:
    """Whether there are drafts for a stage: also for the round that ended a loop because no pair came of them."""
    if stage.name in branches.skipped(night):
        return False
    if not stage.passing:
        return True
    found = course(night, stages.learner(night).stage(stage.loop))
    return stage.round <= found.last + (found.ended == "no_pairs")


def _gates(night: Night, loop: Stage, made: list[Chunk]) -> list[rounds.Gate]:
    """Of every chunk in order, as long as none before it is missing."""
    assert isinstance(loop.section, Dpo)
    assert loop.section.loop is not None
    found: list[rounds.Gate] = []
    before: list[Measured] = []
    few = closed(night.recipe.answers)
    for number, (chunk, name) in enumerate(zip(made, stages.gates(loop), strict=False)):
        if chunk.part != name:
            break
        rows = night.rows([chunk], Measured)
        found.append(rounds.gate(number, rows, before, loop.section.loop, closed=few))
        before = rows
    return found


def _no_pairs(night: Night, name: str) -> bool:
    """Whether all drafts for a stage are there, and no pair came of them."""
    wanted = stages.sampling(night, name)
    made = night.made(wanted)
    return len(made) == len(wanted) and not any(manifest.rows for _, manifest in made)


def _keep(night: Night, chunk: Chunk, loop: Stage) -> Made:
    """The last good round, or the start, under the loop's own name."""
    found = course(night, loop)
    name = stages.measured_at(loop, found.kept)
    [(source, trained)] = night.made([stages.training(night, name)])
    target = night.store.path(chunk, "out")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(night.store.path(source, "out"), target)
    taught = night.store.path(chunk, "taught.jsonl")
    shutil.copyfile(night.store.path(source, "taught.jsonl"), taught)
    files = [taught, *sorted(path for path in target.rglob("*") if path.is_file())]
    figures = {"kept": name, "ended": found.ended, "training": trained.figures["training"]}
    return Made(figures=figures, files=files)


STEP = Step("rounds", chunks, make, here=True)
