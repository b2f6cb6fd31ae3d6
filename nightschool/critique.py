"""From marked solutions to critiques: a solution to judge, and right or wrong as its mark says."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Literal, NamedTuple, cast, get_args

from nightschool.lines import SolutionsLine, SolvedLine, text_of
from nightschool.mended import Side
from nightschool.prompts import Prompt
from nightschool.records import CritiqueRow, CritiqueSource, Dropped
from nightschool.seeds import rng_of

RULES_VERSION = 1

Shares = Literal["equal", "drawn"]
Judgement = Literal["right", "wrong"]
_JUDGEMENTS: tuple[Judgement, ...] = get_args(Judgement)
# A chat template would take these for the end of the turn that shows the solution.
_CHAT_MARK = re.compile(r"<\|\w{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>")


class _Place(NamedTuple):
    """A solution by its teacher and its number among that teacher's."""

    teacher: str
    sample: int


@dataclass
class Drawn:
    """Counts of critiques, which add up over chunks: by teacher and judgement, by how many a question has of each.

    `left_out` counts the solutions that could not be drawn.
    """

    judgements: dict[str, Counter[Judgement]] = field(default_factory=dict)
    per_question: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, rows: list[CritiqueRow]) -> None:
        """Counts the critiques of one question."""
        for row in rows:
            self.judgements.setdefault(row.extra_info.teacher, Counter())[row.target] += 1
        right = sum(row.target == "right" for row in rows)
        self.per_question[f"{right} right, {len(rows) - right} wrong"] += 1


@dataclass(frozen=True, slots=True)
class Terms:
    """How critiques are drawn, see the recipe's section."""

    prompt: Prompt
    per_question: int
    shares: Shares
    data_source: str
    seed: int


def critiques(
    row: SolvedLine, said: Mapping[str, SolutionsLine], terms: Terms, drawn: Drawn, *, side: Side = "train"
) -> list[CritiqueRow] | Dropped:
    """A question's critiques: solutions of all teachers in turn, drawn by seed and question.

    A solution is judged by its mark alone, whatever it says of itself; one without a right or wrong mark is never
    drawn. With equal shares there are as many right as wrong ones; a question that has not both is dropped.

    Args:
        said: by teacher, the solutions that were marked in the row.

    Source: plan 004, generate_critique_data.py, which drew the same places for every question (its seed was set in the
    loop) and called every solution the first model's.
    """
    rng = rng_of("critique", terms.seed, row.id)
    places: dict[Judgement, list[_Place]] = {
        judgement: list(_in_turn(row, judgement, rng)) for judgement in _JUDGEMENTS
    }
    marks = [mark for said in row.solutions.values() for mark in said.marks]
    drawn.left_out.update(mark or "no_truth" for mark in marks if mark not in places)
    if missing := _missing(row, places, terms):
        return Dropped(id=row.id, topic=row.question.topic, reason=missing)
    texts = _Texts(said, drawn)
    if terms.shares == "equal":
        pairs = zip(texts.usable(places["right"]), texts.usable(places["wrong"]), strict=False)
        chosen = [one for pair, _ in zip(pairs, range(terms.per_question // 2), strict=False) for one in pair]
    else:
        both = places["right"] + places["wrong"]
        rng.shuffle(both)
        chosen = [one for one, _ in zip(texts.usable(both), range(terms.per_question), strict=False)]
    if not chosen:
        return Dropped(id=row.id, topic=row.question.topic, reason="not_usable")
    rows = [_row(row, place, text, terms, side) for place, text in chosen]
    drawn.add(rows)
    return rows


def completion(row: CritiqueRow, reply: str) -> str:
    """A judgement as the student is to write it, in the words of the recipe's `reply`; nobody wrote down its reasons.

    Source: plan 004, whose prompt ends in "Conclusion: right/wrong [END]".
    """
    return Template(reply).substitute(judgement=row.target)


def _in_turn(row: SolvedLine, judgement: Judgement, rng: random.Random) -> Iterator[_Place]:
    """Solutions with this mark: each teacher's in an order by chance, a teacher after the other."""
    theirs = [
        [_Place(teacher, number) for number, mark in enumerate(said.marks) if mark == judgement]
        for teacher, said in row.solutions.items()
    ]
    for each in theirs:
        rng.shuffle(each)
    rng.shuffle(theirs)
    for turn in range(max(map(len, theirs), default=0)):
        yield from (each[turn] for each in theirs if turn < len(each))


def _missing(row: SolvedLine, places: dict[Judgement, list[_Place]], terms: Terms) -> str | None:
    if not any(said.marks for said in row.solutions.values()):
        return "no_solution"
    if not any(places.values()):
        marked = any(mark for said in row.solutions.values() for mark in said.marks)
        return "not_judged" if marked else "no_truth"
    if terms.shares == "equal":
        return "no_right_solution" if not places["right"] else "no_wrong_solution" if not places["wrong"] else None
    return None


class _Texts:
    """A question's texts, each given out once."""

    def __init__(self, said: Mapping[str, SolutionsLine], drawn: Drawn) -> None:
        self._said, self._drawn, self._seen = said, drawn, set[str]()

    def usable(self, places: list[_Place]) -> Iterator[tuple[_Place, str]]:
        for place in places:
            text = text_of(self._said[place.teacher].text(place.sample)).strip()
            flaw = "said_twice" if text in self._seen else "chat_mark" if _CHAT_MARK.search(text) else None
            self._seen.add(text)
            if flaw is None:
                yield place, text
            else:
                self._drawn.left_out[flaw] += 1


def _row(row: SolvedLine, place: _Place, text: str, terms: Terms, side: Side) -> CritiqueRow:
    asked, marked = row.question, row.solutions[place.teacher]
    return CritiqueRow(
        id=f"{row.id}-{place.teacher}-{place.sample}",
        prompt=terms.prompt.messages(question=asked.question, solution=text, topic=asked.topic),
        target=cast(Judgement, marked.marks[place.sample]),
        question=asked.question,
        solution=text,
        ground_truth=asked.answer or "",
        data_source=terms.data_source,
        side=side,
        extra_info=CritiqueSource(
            question_id=row.id, topic=asked.topic, teacher=place.teacher, sample=place.sample,
            value=marked.values[place.sample] or "",
        ),
    )  # fmt: skip
