"""From a night's trainings and pairs to the figures of what was learned from."""

from __future__ import annotations

from nightschool import shortcuts as rules
from nightschool.records import PreferenceRow
from nightschool.report.lessons import Lesson, Shortcut
from nightschool.report.rounds import Fate, Round
from tasks import rounds as loops
from tasks import stages
from tasks.night import Night


def lessons(night: Night) -> tuple[Lesson, ...]:
    """Rows of every stage that was trained, and what was found in them."""
    named = [stage.name for kind in ("sft", "dpo") for stage in stages.of_kind(night, kind)]
    return tuple(
        Lesson(stage=chunk.part, trained=figures["rows"], **figures["prompts"])
        for chunk, manifest in night.made([stages.training(night, name) for name in named])
        for figures in [manifest.figures["training"]]
    )


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
                Round(loop=loop.name, stage=name, pairs=pairs, accuracy=gate.accuracy, gain=gate.gain, fate=fate)
            )
        if course.ended == "no_pairs":
            name = stages.gates(loop)[course.last + 1]
            found.append(Round(loop=loop.name, stage=name, pairs=0, accuracy=None, gain=None, fate="no_pairs"))
    return tuple(found)


def _pairs(night: Night, name: str) -> int:
    return sum(manifest.rows for _, manifest in night.made(stages.sampling(night, name)))
