"""From a written question to a challenge of the arena: what stands against it, by rules and solver."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool import school
from nightschool.contest import Count, FileRules, breaches
from nightschool.records import LETTERS, Challenge, Dropped, Question, Written

RULES_VERSION = 1


def refused(row: Dropped, author: str) -> Challenge:
    """A reply that is no question: it counts against its author."""
    row_id = f"{author}-{row.id}"
    return Challenge(id=row_id, author=author, topic=row.topic, question=None, flaw=row.reason, detail=row.detail)


def challenge(
    row: Written,
    question: Question,
    *,
    example: str,
    rules: FileRules | None = None,
    count: Count | None = None,
    votes: bool = False,
) -> Challenge:
    """A question with the first thing that makes it invalid, if anything does.

    The writer's own key never makes a question valid: the solver's answer does, or votes that are taken later. What the
    solver cannot read is `malformed`, unless it has four different choices and votes are taken.

    Args:
        question: the row with its letters; its truth and check are the solver's.
        example: the question that its author was shown.
        rules: the contest's rules of questions, of which the first broken one counts.
        count: tokens of a text; None leaves the rules of tokens out.
        votes: whether a committee rules where the solver cannot.

    Source: plan 000, 5.2; plan 001, "correctness is critical".
    """
    flaw, detail = _flaw(row, question, example, votes)
    if flaw is None and rules is not None and (broken := breaches(_record(row, question), rules, count=count)):
        flaw, detail = broken[0].rule, broken[0].detail
    return Challenge(id=row.id, author=row.teacher, topic=row.topic, question=question, flaw=flaw, detail=detail)


def distinct(challenges: Sequence[Challenge]) -> list[Challenge]:
    """The same with every question that its author had asked before marked as `repeated`."""
    seen: set[tuple[str, str]] = set()
    found: list[Challenge] = []
    for one in challenges:
        if one.question is None or one.flaw is not None:
            found.append(one)
            continue
        mark = (one.author, f"{one.topic} {school.normalise(one.question.question)}")
        found.append(one.model_copy(update={"flaw": "repeated"}) if mark in seen else one)
        seen.add(mark)
    return found


def _flaw(row: Written, question: Question, example: str, votes: bool) -> tuple[str | None, str]:
    if example and school.normalise(row.question) == school.normalise(example):
        return "copied", "the example of its own prompt"
    if question.check == "malformed" and votes and _has_four_choices(question):
        return None, ""
    if question.check == "ok":
        return None, ""
    return question.check, row.question[:200]


def _has_four_choices(question: Question) -> bool:
    return len({" ".join(choice.casefold().split()) for choice in question.choices} - {""}) == 4


def _record(row: Written, question: Question) -> dict[str, object]:
    """As the contest has it."""
    choices = [f"{letter}) {choice}" for letter, choice in zip(LETTERS, question.choices, strict=False)]
    record: dict[str, object] = {"topic": row.topic, "question": row.question, "choices": choices}
    return record | {"answer": question.key, "explanation": row.plan}
