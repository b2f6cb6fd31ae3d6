"""From rulings to the few rows that a person reads in the morning: some kept, some dropped, drawn by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nightschool.records import LETTERS, Answer, Ruling
from nightschool.report.sample_rows import Sample, SampleVote
from nightschool.seeds import seed_of


def draw(rulings: Sequence[Ruling], *, n: int = 10, seed: int = 0) -> list[Ruling]:
    """At most n rows: three in five kept and the rest dropped where there are as many, kept ones first.

    The draw depends on the row alone, so rows added elsewhere don't reshuffle it.

    Source: plan 000, "spot check of 20 random rows".
    """
    order = sorted(rulings, key=lambda row: seed_of("sample", seed, row.id))
    kept = [row for row in order if row.answer is not None]
    dropped = [row for row in order if row.answer is None]
    wanted = max(n - len(dropped), n * 3 // 5)
    chosen = kept[:wanted]
    return chosen + dropped[: n - len(chosen)]


def sample(ruling: Ruling, answers: Mapping[str, Answer], *, balanced: bool = True) -> Sample:
    """One row as the committee saw it.

    Args:
        answers: of this row, by teacher; a teacher who is missing said nothing that could be read.
        balanced: whether an accepted row also outlived the balance.
    """
    question = ruling.question
    return Sample(
        id=ruling.id,
        topic=question.topic,
        question=question.question,
        choices=dict(zip(LETTERS, question.choices, strict=False)),
        votes=tuple(
            SampleVote(teacher=name, answer=letter, reasoning=_reasoning(answers.get(name), letter))
            for name, letter in ruling.votes.items()
        ),
        verdict="kept" if ruling.answer and balanced else ruling.reason or "over_share",
        answer=ruling.answer,
        by=ruling.by,
        agreement=ruling.agreement,
        solver=question.check,
        truth=question.truth,
        source=question.source,
    )


def _reasoning(answer: Answer | None, letter: str | None) -> str:
    """The first reasoning that led to the vote; of an abstention, why it could not be read."""
    if answer is None:
        return ""
    if letter is None:
        return next((plain for cast in answer.casts if (plain := cast.reason or cast.reasoning)), "")
    return next((cast.reasoning for cast in answer.casts if cast.letter == letter), "")
