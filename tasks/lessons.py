"""From a night's trainings and pairs to the figures of what was learned from."""

from __future__ import annotations

from nightschool import shortcuts as rules
from nightschool.records import PreferenceRow
from nightschool.report.lessons import Lesson, Shortcut
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
