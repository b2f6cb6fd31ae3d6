"""The rows that wait for a person, each with what every teacher said, as whoever decides needs to see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nightschool.lines import case_line
from nightschool.records import Answer, Cast, Ruling
from nightschool.review import Case, Voice
from nightschool.values.kinds import Kind
from tasks import answers, merge, review
from tasks.night import Night


def cases(night: Night, rulings: Iterable[Ruling] | None = None) -> list[Case]:
    """These rows (all that still wait, if none are given), in the order in which they are asked."""
    night = night.at_a_glance
    rows = list(review.undecided(night) if rulings is None else rulings)
    section = night.recipe.answers
    kind: Kind = "letter" if section.reply == "letter" or section.value == "none" else section.value
    said = (_letters if section.reply == "letter" else _solutions)(night, {row.id for row in rows})
    return [Case(row, _voices(row, said.get(row.id, {})), kind, section.fallback) for row in rows]


_Said = Mapping[str, Sequence[tuple[str | None, str]]]


def _voices(row: Ruling, said: _Said) -> tuple[Voice, ...]:
    """Each teacher's vote with the first sample that led to it."""
    return tuple(Voice(teacher, vote, _way_to(vote, said.get(teacher, ()))) for teacher, vote in row.votes.items())


def _way_to(vote: str | None, samples: Sequence[tuple[str | None, str]]) -> str:
    return next((text for answer, text in samples if vote in (None, answer) and text), "")


def _letters(night: Night, wanted: set[str]) -> dict[str, _Said]:
    found: dict[str, dict[str, Sequence[tuple[str | None, str]]]] = defaultdict(dict)
    for chunk, _ in night.made(answers.chunks(night)):
        for answer in night.store.rows(chunk, Answer):
            if answer.id in wanted:
                found[answer.id][answer.teacher] = [_cast(cast) for cast in answer.casts]
    return dict(found)


def _cast(cast: Cast) -> tuple[str | None, str]:
    return cast.letter, cast.reasoning or (f"({cast.reason})" if cast.reason else "")


def _solutions(night: Night, wanted: set[str]) -> dict[str, _Said]:
    found: dict[str, _Said] = {}
    for chunk, _ in night.made(merge.chunks(night)):
        for row, said in merge.texts(night, chunk, night.read([chunk], case_line)):
            if row.id in wanted:
                found[row.id] = {
                    name: list(zip(row.solutions[name].values, line.texts, strict=True)) for name, line in said.items()
                }
    return found
