"""From what training found in its rows to a part of the report: leaks, lengths, pairs won unread, turns of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nightschool.recipe.preference import Scheduled
from nightschool.report.doubts import left_out_words, shown
from nightschool.report.proof import Figure
from nightschool.report.rounds import rounds_table
from nightschool.report.text import percent, plain
from nightschool.training.record import Prompts

if TYPE_CHECKING:
    from nightschool.report.figures import Report
    from nightschool.report.tables import Table

_RULES = {
    "longer": "the longer one", "json": "JSON", "box": "an answer in a box", "hashes": "an answer after ####",
    "headings": "headings", "bold": "bold words", "list": "a list", "lines": "several lines",
    "verdict_first": "the verdict first",
}  # fmt: skip
_LINES = {
    "answers": "different answers",
    "compared": "held against what is asked later",
    "others": "asked otherwise", "leaks": "give the answer away", "too_long": "over the context", "dropped": "dropped",
    "truncated": "cut",
}  # fmt: skip


class Lesson(Figure):
    """What a stage was trained on: rows as they were read, and how many of them were trained on."""

    stage: str
    prompts: Prompts
    trained: int

    @property
    def told(self) -> str | None:
        """What is wrong with all of its rows together, for who has to mend it."""
        if self.prompts.answers != 1 or self.prompts.rows == 1:
            return None
        return f"All {self.prompts.rows:,} rows of {self.stage} have the same answer: one class only was taught."


class Shortcut(Figure):
    """A rule that picks a side of a stage's pairs unread, see `nightschool.shortcuts`."""

    stage: str
    rule: str
    decides: int
    wins: int
    low: float
    high: float
    warns: bool

    @property
    def told(self) -> str:
        """In a sentence, for who has to mend it."""
        rule, share = _RULES.get(self.rule, self.rule), percent(self.wins / self.decides, 0)
        interval = f"{percent(self.low, 0)} to {percent(self.high, 0)}"
        return (
            f"Pairs of {self.stage}: {rule} wins {share} of {self.decides:,} ({interval}); a model may learn just that."
        )


class Turn(Figure):
    """What is another way in a stage's loss from an epoch on, counted from 0."""

    epoch: int
    told: str


def turns(loss: Scheduled) -> tuple[Turn, ...]:
    """A schedule as the epochs in which something changes; nothing for a loss that stays as it is."""
    found: list[Turn] = []
    before, epoch = {"cal": "none", "robust": "none"}, 0
    for part in loss.schedule:
        at = loss.at(epoch)
        now = {"\N{GREEK SMALL LETTER BETA}": f"{at.beta:g}", "cal": at.cal, "robust": at.robust}
        if told := ", ".join(f"{name} {value}" for name, value in now.items() if value != before.get(name)):
            found.append(Turn(epoch=epoch, told=told))
        before, epoch = now, epoch + part.epochs
    return tuple(found)


def lessons_table(found: Sequence[Lesson]) -> Table:
    """One column per stage; counts that are 0 everywhere are left out."""
    counts = {"rows read": [one.prompts.rows for one in found], "trained on": [one.trained for one in found]}
    counts |= {said: [getattr(one.prompts, name) for one in found] for name, said in _LINES.items()}
    rows = [[said, *(f"{count:,}" for count in each)] for said, each in counts.items() if any(each)]
    return ["", *(one.stage for one in found)], rows


def shortcuts_table(found: Sequence[Shortcut]) -> Table:
    """What a rule wins that does not read; a half is chance."""
    rows = [
        [
            f"{_RULES.get(one.rule, plain(one.rule))}{' (!)' if one.warns else ''}",
            percent(one.wins / one.decides),
            f"{percent(one.low)} to {percent(one.high)}",
            f"{one.decides:,}",
            one.stage,
        ]
        for one in found
    ]
    return ["the one with", "is chosen", "95% interval", "pairs", "stage"], rows


def view(report: Report) -> dict[str, Any]:
    """The tables, by the names that the template uses."""
    return {
        "left_out_words": left_out_words(report.left_out),
        "left_out": shown(report.left_out),
        "rounds_table": rounds_table(report.rounds) if report.rounds else None,
        "lessons_table": lessons_table(report.lessons) if report.lessons else None,
        "shortcuts_table": shortcuts_table(report.shortcuts) if report.shortcuts else None,
    }
