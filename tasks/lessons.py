"""From a night's trainings and pairs to the figures of what was learned from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nightschool import shortcuts as rules
from nightschool.recipe.learning import Dpo
from nightschool.recipe.stages import Stage
from nightschool.records import PreferenceRow
from nightschool.report.doubts import LeftOut, short
from nightschool.report.evaluated import Evaluated, Look
from nightschool.report.figures import LossPoint
from nightschool.report.lessons import Lesson, Shortcut, Turn
from nightschool.report.lessons import turns as planned
from nightschool.report.rounds import Fate, Round
from tasks import rounds as loops
from tasks import stages
from tasks.night import Night


def learned(night: Night) -> dict[str, Any]:
    """All that a report tells of it, by the report's own names."""
    return {
        "lessons": lessons(night),
        "shortcuts": shortcuts(night),
        "losses": losses(night),
        "turns": turns(night),
        "evaluated": evaluated(night),
        "rounds": rounds(night),
        "left_out": tuple(pair for stage in stages.of_kind(night, "dpo") for pair in left_out(night, stage)),
    }


def lessons(night: Night) -> tuple[Lesson, ...]:
    """Rows of every stage that was trained, and what was found in them."""
    return tuple(
        Lesson(stage=name, trained=figures["rows"], prompts=figures["prompts"]) for name, figures in _trainings(night)
    )


def losses(night: Night) -> dict[str, tuple[LossPoint, ...]]:
    """The trainer's log of every stage that was trained."""
    return {
        name: tuple(LossPoint.model_validate(line) for line in figures["losses"]) for name, figures in _trainings(night)
    }


def turns(night: Night) -> dict[str, tuple[Turn, ...]]:
    """Where the losses of dpo stages change by their schedules."""
    sections = {stage.name: stage.section for stage in stages.of_kind(night, "dpo")}
    found = {name: planned(section) for name, section in sections.items() if isinstance(section, Dpo)}
    return {name: each for name, each in found.items() if each}


def evaluated(night: Night) -> dict[str, Evaluated]:
    """Of every stage that was looked at on held-back rows, what they came to and which step was left."""
    found: dict[str, Evaluated] = {}
    for name, figures in _trainings(night):
        if how := stages.learner(night).stage(name).section.evaluate:
            found[name] = Evaluated(
                rows=figures["held"], metric=how.metric_for_best_model, chosen=figures["chosen"],
                looks=tuple(map(Look.model_validate, figures["evaluations"])), last=figures["steps"],
                best=how.load_best_model_at_end, early=figures["stopped_early"],
            )  # fmt: skip
    return found


def shortcuts(night: Night) -> tuple[Shortcut, ...]:
    """What rules that read nothing win on each stage's pairs."""
    found: list[Shortcut] = []
    for stage in (one for one in stages.of_kind(night, "dpo") if one.answers):
        pairs = ((row.chosen, row.rejected) for row in night.each(stages.sampling(night, stage.name), PreferenceRow))
        found += [
            Shortcut(stage=stage.name, rule=one.rule, decides=one.decides, wins=one.wins, low=one.low, high=one.high,
                     warns=one.warns)
            for one in rules.shortcuts(pairs)
        ]  # fmt: skip
    return tuple(found)


def left_out(night: Night, stage: Stage) -> Iterator[LeftOut]:
    """The pairs of a stage that were at weight zero, epoch by epoch, the most doubted first."""
    for chunk, manifest in night.made([stages.training(night, stage.name)]):
        dropped: dict[str, list[str]] = manifest.figures["training"].get("dropped", {})
        wanted = {name for names in dropped.values() for name in names}
        taught = night.store.path(chunk, "taught.jsonl").read_bytes().splitlines() if wanted else ()
        rows = {row.id: row for row in map(PreferenceRow.model_validate_json, taught) if row.id in wanted}
        for epoch, names in dropped.items():
            for name in names:
                sides = {"chosen": rows[name].chosen, "rejected": rows[name].rejected}
                texts = {side: short(turns[-1].content) for side, turns in sides.items()}
                yield LeftOut(stage=stage.name, epoch=int(epoch), id=name, against=rows[name].disagreement, **texts)


def rounds(night: Night) -> tuple[Round, ...]:
    """Every loop as far as it has come, the start first."""
    found: list[Round] = []
    for loop in stages.of_kind(night, "rounds"):
        course, over = loops.course(night, loop), bool(night.made([stages.training(night, loop.name)]))
        for gate in course.gates:
            fate: Fate = "passed" if gate.passed else "failed"
            if over and gate.number == course.kept:
                fate = "kept"
            elif gate.number == 0:
                fate = "start"
            name = stages.measured_at(loop, gate.number)
            pairs = _pairs(night, name) if gate.number else None
            found.append(
                Round(loop=loop.name, stage=name, pairs=pairs, accuracy=gate.accuracy, gain=gate.gain, fate=fate,
                      baselines=gate.baselines)
            )  # fmt: skip
        if course.ended == "no_pairs":
            name = stages.gates(loop)[course.last + 1]
            found.append(Round(loop=loop.name, stage=name, pairs=0, accuracy=None, gain=None, fate="no_pairs"))
    return tuple(found)


def _pairs(night: Night, name: str) -> int:
    return sum(manifest.rows for _, manifest in night.made(stages.sampling(night, name)))


def _trainings(night: Night) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each finished training left on file about itself, by its stage."""
    named = [stage.name for kind in ("sft", "dpo") for stage in stages.of_kind(night, kind)]
    for chunk, manifest in night.made([stages.training(night, name) for name in named]):
        yield chunk.part, manifest.figures["training"]
