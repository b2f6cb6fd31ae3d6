"""What came of an ensemble: where its answers come from, who was not heard, and how often who is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from nightschool.hearing import truth_of
from nightschool.predict import Predicted
from nightschool.recipe.predict import voters
from nightschool.statistics import wilson
from nightschool.submission import Submitted
from tasks import merge, predict, submission
from tasks.night import Night
from tasks.problems import problems


class Right(BaseModel):
    """How many of `answers` are right, and the 95% interval of their share (Wilson)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    who: str
    right: int
    answers: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.right / self.answers


class Summary(BaseModel):
    """An ensemble's run.

    `by`: answers by where they come from; `unheard`: by voter and reason, on how many problems; `right`: the ensemble,
    then every voter's first replies, best first, where the file knows the answers; `judged`: the submission against
    its contest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    night: str
    problems: int
    by: dict[str, int]
    unheard: dict[str, dict[str, int]]
    right: tuple[Right, ...]
    checked: int
    requests: int
    tokens_out: int
    submission: str | None
    judged: dict[str, Any] | None


def summary(night: Night) -> Summary:
    """What is on file of it."""
    rows = list(night.each(predict.chunks(night), Predicted))
    made = night.made(submission.chunks(night))
    figures = made[-1][1].figures if made else {}
    costs = Counter[str]()
    for _, manifest in night.made(predict.chunks(night)):
        costs.update({name: int(manifest.figures.get(name, 0)) for name in ("requests", "tokens_out")})
    handed_in = submission.place(night)
    return Summary(
        night=night.name,
        problems=len(problems(night)),
        by=figures.get("by", {}),
        unheard={voter: dict(reasons) for voter, reasons in predict.unheard(rows).items()},
        right=tuple(_rights(night, rows, night.rows(submission.chunks(night), Submitted))),
        checked=sum(bool(row.checked) for row in rows),
        requests=costs["requests"],
        tokens_out=costs["tokens_out"],
        submission=str(handed_in) if handed_in.is_file() else None,
        judged=figures.get("judged"),
    )


def _rights(night: Night, rows: Sequence[Predicted], handed_in: Sequence[Submitted]) -> list[Right]:
    """An answer that is missing is not right."""
    kind = night.recipe.answers.kind
    truths = {
        one.question.id: known.answer
        for one in problems(night)
        if (known := truth_of(one.question.answer, kind)) and known.answer is not None
    }
    if not truths:
        return []
    said = {voter.name: _first(rows, voter.name) for voter in voters(night.recipe)}
    own = {row.problem: row.value for row in handed_in if row.problem}
    whole = _right("ensemble", own, truths, night)
    return [
        whole,
        *sorted((_right(name, votes, truths, night) for name, votes in said.items()), key=lambda r: -r.right),
    ]


def _first(rows: Sequence[Predicted], voter: str) -> dict[str, str | None]:
    """Its first reply to each problem: a second one is asked only where the first left the committee unsure."""
    return {row.id: row.heard[voter][0].value for row in rows if row.heard.get(voter)}


def _right(who: str, votes: Mapping[str, str | None], truths: Mapping[str, str], night: Night) -> Right:
    kind = night.recipe.answers.kind
    right = sum(
        (value := votes.get(one)) is not None and merge.same(truth, value, kind) is True
        for one, truth in truths.items()
    )
    low, high = wilson(right, len(truths))
    return Right(who=who, right=right, answers=len(truths), low=low, high=high)
