"""What files of questions hold, in counts: before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from nightschool.sources.load import Loaded

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts of a source: `dropped` by reason, bad rows among them; `answers` are classes, `choices` their number.

    `without_answer` are asked all the same: nobody can say whether a reply to them is right.
    """

    rows: int
    questions: int
    bad: int
    without_answer: int
    dropped: Mapping[str, int]
    answers: Mapping[str, int]
    levels: Mapping[str, int]
    topics: Mapping[str, int]
    choices: Mapping[str, int]
    first_bad: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Rows, questions, and what became of the others, in one line."""
        lost = [f"{count:,} {reason}" for reason, count in self.dropped.items()]
        none = [f"{self.without_answer:,} without an answer"] if self.without_answer else []
        return ", ".join([f"{self.rows:,} rows", f"{self.questions:,} questions", f"{self.bad:,} bad", *none, *lost])

    @property
    def lines(self) -> list[str]:
        """The same, and the shares of what the questions can be told apart by."""
        parts = {"answers": self.answers, "levels": self.levels, "topics": self.topics, "choices": self.choices}
        shares = [f"  {name}: {_shares(counts)}" for name, counts in parts.items() if counts]
        return [self.summary, *shares, *(f"  bad: {line}" for line in self.first_bad)]


def survey(found: Loaded) -> Survey:
    """Count what was loaded."""
    answers, levels, topics, choices = Counter[str | None](), Counter[str | None](), Counter[str](), Counter[int]()
    for row in found.questions:
        answers[row.answer] += 1
        levels[row.level or None] += 1
        topics[row.topic] += 1
        choices[len(row.choices)] += 1
    return Survey(
        rows=found.rows,
        questions=len(found.questions),
        bad=found.bad,
        without_answer=answers.pop(None, 0),
        dropped=_ordered(Counter(row.reason for row in found.dropped)),
        answers=_ordered({answer: count for answer, count in answers.items() if answer is not None}),
        levels=_ordered({level or "(none)": count for level, count in levels.items()}) if any(levels) else {},
        topics=_ordered({topic: count for topic, count in topics.items() if topic}),
        choices=_ordered({str(number): count for number, count in choices.items() if number}),
        first_bad=tuple(found.first_bad),
    )


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _shares(counts: Mapping[str, int]) -> str:
    total, named = sum(counts.values()), list(counts.items())[:_MOST_NAMED]
    more = len(counts) - len(named)
    told = [f"{value[:40]} {count:,} ({count / total:.1%})" for value, count in named]
    return ", ".join([*told, *([f"and {more:,} others"] if more else [])])
