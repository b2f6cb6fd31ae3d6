"""Rows of a night as a report shows them, their texts visible and no longer than a page has room for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from nightschool.report.proof import Figure
from nightschool.report.text import clean

Text = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]


class SampleVote(Figure):
    """What one teacher said on a sample row; no answer = an abstention."""

    teacher: str
    answer: Text | None
    reasoning: Text = ""


class Sample(Figure):
    """One row as the committee saw it. verdict: kept, or the reason why it was dropped."""

    id: Text
    topic: Text
    question: Text
    choices: dict[str, Text]
    votes: tuple[SampleVote, ...]
    verdict: Text
    answer: Text | None = None
    by: str = ""
    agreement: float | None = None
    solver: Text | None = None
    truth: Text | None = None
    source: Text = ""
