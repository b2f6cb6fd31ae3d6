"""From a ruling, a question or a critique to one row that every format is made from."""

from __future__ import annotations

from dataclasses import dataclass

from nightschool import answers
from nightschool.mended import Side
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, CritiqueRow, Question, Ruling
from nightschool.wire import Message


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row to hand over.

    `target` is what a reward compares with; `completion` is empty where there is no text to imitate: of a question that
    nobody answered, and of a critique, whose target is a word. `name` is what the question's file calls it, `filed` the
    target in the file's own letters, whatever order the choices were put in since.
    """

    id: str
    ability: str
    prompt: tuple[Message, ...]
    question: str
    target: str
    completion: str = ""
    question_id: str = ""
    name: str | None = None
    filed: str = ""
    topic: str = ""
    level: str | None = None
    choices: tuple[str, ...] = ()
    answer: str | None = None
    source: str | None = None
    by: str | None = None
    agreement: float | None = None
    weight: float = 1.0
    side: Side = "train"
    teacher: str | None = None
    sample: int | None = None
    solution: str | None = None
    value: str | None = None
    data_source: str | None = None


def of_question(question: Question, prompt: Prompt, ability: str, *, side: Side) -> Lesson | None:
    """A question to be solved, for training by reward; None if its answer is not known."""
    target = question.truth or question.answer
    return _lesson(question.id, question, prompt, ability, target, side=side) if target else None


def of_ruling(ruling: Ruling, prompt: Prompt, ability: str, *, lettered: bool) -> Lesson | None:
    """An accepted row with the text to imitate; None if it has no answer.

    Args:
        lettered: the reply is the JSON of a letter night, else the whole solution.
    """
    if ruling.answer is None:
        return None
    text = answers.completion(ruling.reasoning, ruling.answer) if lettered else ruling.reasoning
    letters = ruling.mended.letters
    return _lesson(
        ruling.id, ruling.question, prompt, ability, ruling.answer,
        filed=letters[LETTERS.index(ruling.answer)] if letters else ruling.answer, completion=text, by=ruling.by,
        agreement=ruling.agreement, weight=ruling.weight, side=ruling.side,
    )  # fmt: skip


def of_critique(row: CritiqueRow) -> Lesson:
    """A solution to judge.

    Source: plan 004, format_critique_data.py.
    """
    source = row.extra_info
    return Lesson(
        id=row.id, ability=row.ability, prompt=row.prompt, question=row.question, target=row.target, filed=row.target,
        question_id=source.question_id, topic=source.topic, answer=row.ground_truth, teacher=source.teacher,
        sample=source.sample, solution=row.solution, value=source.value, side=row.side, data_source=row.data_source,
    )  # fmt: skip


def _lesson(
    row_id: str,
    question: Question,
    prompt: Prompt,
    ability: str,
    target: str,
    *,
    filed: str | None = None,
    completion: str = "",
    by: str | None = None,
    agreement: float | None = None,
    weight: float = 1.0,
    side: Side = "train",
) -> Lesson:
    return Lesson(
        id=row_id, ability=ability, prompt=answers.messages(question, prompt), question=question.question,
        target=target, completion=completion, question_id=question.id, name=question.name, filed=filed or target,
        topic=question.topic,
        level=question.level, choices=question.choices, answer=target, source=question.source, by=by,
        agreement=agreement, weight=weight, side=side,
    )  # fmt: skip
