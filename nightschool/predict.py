"""From a problem to what every voter of an ensemble says of it: what is asked, and how the replies are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from nightschool.categories import Category
from nightschool.hearing import Case, Heard, Known
from nightschool.prompts import Prompt
from nightschool.records import Question, Row
from nightschool.seeds import seed_of
from nightschool.values.kinds import Fallback, Kind
from nightschool.values.read import read as read_value
from nightschool.values.stated import stated as stated_in
from nightschool.wire import Ask, Choice, Reply, Sampling

RULES_VERSION = 1


class Shown(Protocol):
    """A solved problem."""

    @property
    def problem(self) -> str: ...

    @property
    def solution(self) -> str: ...


class Sampled(BaseModel):
    """What one reply says: a value, or the reason why it has none; `sure` in [0, 1], where it comes with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str | None
    reason: str | None = None
    sure: float | None = None


class Predicted(Row):
    """A problem (the row's id is its content's) with all that was heard of it, by voter (`MODEL/TEMPLATE`).

    `names`: which values are one answer, see `nightschool.voting.named`; `checked`: values that were put into the
    problem, and whether they fit; `unheard`: by voter, why one was not heard to the end.
    """

    question: str
    category: Category
    heard: dict[str, tuple[Sampled, ...]]
    names: dict[str, str] = {}
    checked: dict[str, bool] = {}
    unheard: dict[str, str] = {}
    rounds: int = 0


def ask(
    problem: Question,
    *,
    row_id: str,
    prompt: Prompt,
    category: Category,
    examples: Sequence[Shown],
    sampling: Sampling,
    seed: int,
    draft: str | None = None,
) -> Ask:
    """The request for a voter's answers in one round; the row's id makes its seed.

    Args:
        draft: of an answer, for a template that shows one.
    """
    solved = shown(examples, problem.question)
    messages = prompt.messages(draft=draft, question=problem.question, category=category, examples=solved)
    return Ask(id=row_id, messages=messages, sampling=sampling, seed=seed_of("predict", seed, row_id))


def shown(examples: Sequence[Shown], question: str) -> str:
    """Solved problems as a prompt shows them, the one that is asked left out."""
    asked = " ".join(question.split())
    parts = [
        f"Problem: {one.problem}\nSolution: {one.solution}"
        for one in examples
        if " ".join(one.problem.split()) != asked
    ]
    return "\n\n".join(parts)


def read(
    reply: Reply, *, kind: Kind, fallback: Fallback, bounds: tuple[int, int] | None, stated: bool
) -> tuple[Sampled, ...]:
    """What each sample says; one that is out of bounds says nothing, and is never clipped into them.

    Args:
        bounds: the least and the greatest whole number that a contest takes.
        stated: a reply says itself how sure it is; else its server may.

    Source: plan 003, whose clipping of answers invented some (plan-errors, 003).
    """
    return tuple(_sampled(choice, kind, fallback, bounds, stated) for choice in reply.choices)


def _sampled(choice: Choice, kind: Kind, fallback: Fallback, bounds: tuple[int, int] | None, stated: bool) -> Sampled:
    if choice.finish == "length":
        return Sampled(value=None, reason="truncated")
    found = read_value(choice.text, kind, fallback=fallback)
    if found.value is None:
        return Sampled(value=None, reason=found.reason)
    if bounds and not bounds[0] <= int(found.value) <= bounds[1]:
        return Sampled(value=None, reason="out_of_range")
    return Sampled(value=found.value, sure=stated_in(choice.text) if stated else choice.confidence)


def values_of(heard: Mapping[str, Sequence[Sampled]]) -> set[str]:
    """Every answer that somebody gave."""
    return {one.value for said in heard.values() for one in said if one.value is not None}


def case_of(row: Predicted) -> Case:
    """What a committee rules on: an answer that does not fit its problem has no vote; one that alone fits, outranks.

    Several different answers may fit an equation: then the votes decide among them.
    """
    said = {voter: _heard(samples, row.checked) for voter, samples in row.heard.items()}
    fitting = {row.names.get(value, value): value for value, fits in row.checked.items() if fits}
    known = Known("solver", next(iter(fitting.values()))) if len(fitting) == 1 else None
    return Case(row.id, said, known, row.names)


def _heard(samples: Sequence[Sampled], checked: Mapping[str, bool]) -> Heard:
    values = [one.value if one.value is None or checked.get(one.value, True) else None for one in samples]
    return Heard(values, [checked.get(one) if one is not None else None for one in values], [s.sure for s in samples])
