"""The committee's sitting: a ruling on every question, from letters or from free solutions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import Raw

from nightschool import committee, hearing
from nightschool.chunks import Chunk, Manifest, together
from nightschool.committee import Terms
from nightschool.hearing import Case, Heard, Said
from nightschool.lines import CaseLine, asked_line, case_line
from nightschool.recipe.committee import terms_of
from nightschool.records import Answer, Question
from nightschool.reliability import Reliability, Votes, dawid_skene, one_coin
from nightschool.ruling_line import RulingLine
from nightschool.sameness import Sameness, tell
from nightschool.sitting import sit
from nightschool.values.stated import stated
from tasks import answers, merge, pool
from tasks.night import Night
from tasks.standing import beside, standing
from tasks.step import Made, Served, Step


class _Heard(NamedTuple):
    """A case, its question as JSON, and the text that was drawn already."""

    case: Case
    question: bytes
    drawn: Raw | None = None


_json = msgspec.json.Encoder().encode


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply == "letter":
        after = [manifest for _, manifest in night.made(answers.chunks(night))]
        rows = sum(chunk.rows for chunk in pool.chunks(night))
        return [night.chunk("committee", 0, 0, "committee", rows=rows, after=after)]
    if not night.recipe.rules:
        return []
    merged = merge.chunks(night)
    made = night.made(merged)
    learned = night.recipe.committee.strategy == "reliability"
    whole = together([manifest for _, manifest in made]) if learned else []
    read: dict[int, list[Manifest]] = defaultdict(list)
    for chunk, manifest in (*made, *night.made(answers.chunks(night))):
        read[chunk.index].append(manifest)
    return [
        night.chunk(
            "committee",
            chunk.index,
            chunk.index,
            f"committee chunk {chunk.index + 1}/{len(merged)}",
            rows=chunk.rows,
            after=[*whole, *read[chunk.index]],
        )
        for chunk in merged
    ]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe = night.recipe
    terms = terms_of(recipe.committee, quorum=recipe.quorum, seed=recipe.seed)
    reliability = None
    if terms.rule.strategy == "reliability":
        reliability = standing(night, chunk.phase, "reliability", partial(_learn, night, terms))
        terms = terms_of(recipe.committee, quorum=recipe.quorum, seed=recipe.seed, reliability=reliability)
    unjudged: Counter[str] = Counter()
    rulings: list[RulingLine] = []
    elsewhere: dict[str, tuple[str, int]] = {}
    for case, question, text in _cases(night, chunk, unjudged):
        ruling, way = committee.rule(case, terms)
        ruling.asked = Raw(question)
        if isinstance(way, str):
            ruling.written = Raw(_json(way))
        elif way and text and way == case.drawn:
            ruling.written = text
        elif way:
            elsewhere[case.id] = way
        rulings.append(ruling)
    if elsewhere:
        _fetch(night, chunk, rulings, elsewhere)
    sitting = sit(rulings, not_compared=unjudged["pairs"])
    return Made(
        rows=[ruling.line for ruling in rulings if ruling.verdict == "accept"],
        dropped=[(ruling.reason or "no_answer", ruling.line) for ruling in rulings if ruling.verdict != "accept"],
        figures={"sitting": sitting.model_dump(), "reliability": dict(reliability.share) if reliability else {}},
    )


def _fetch(night: Night, chunk: Chunk, rulings: Sequence[RulingLine], places: Mapping[str, tuple[str, int]]) -> None:
    """Puts texts into rulings that lie in the answers: a pass over all of the chunk's."""
    for ruling, said in merge.texts(night, chunk, rulings):
        if ruling.id in places:
            teacher, sample = places[ruling.id]
            ruling.written = Raw(said[teacher].text(sample))


def _cases(night: Night, chunk: Chunk, unjudged: Counter[str]) -> Iterator[_Heard]:
    """The questions of a chunk in order; `unjudged` counts the pairs of values that could not be compared."""
    if night.recipe.answers.reply == "letter":
        return _letters(night)
    return _solutions(night, chunk, unjudged)


def _letters(night: Night) -> Iterator[_Heard]:
    teachers = [teacher.name for teacher in night.recipe.teachers]
    given: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer):
        given[answer.id][answer.teacher] = answer
    for question in night.rows(pool.chunks(night), Question):
        verifier = night.recipe.verifier
        known = hearing.known(question, solver=verifier == "solver", truth=verifier == "truth")
        said = hearing.hear(question, given[question.id], teachers)
        yield _Heard(Case(question.id, said, known), question.model_dump_json().encode())


def _solutions(night: Night, chunk: Chunk, unjudged: Counter[str]) -> Iterator[_Heard]:
    kind, verifier = night.recipe.answers.kind, night.recipe.verifier
    cases, heard = _case_lines(night, chunk)
    rights = [_rights(said) for said in heard]
    sames = [Sameness(right, kind) for right in rights]
    told = tell(sames, merge.compare)
    unjudged["pairs"] += sum(verdict is None for verdict in told.values())
    for case, said, same in zip(cases, heard, sames, strict=True):
        question = bytes(case.question)
        known = hearing.truth_of(asked_line(question).answer, kind) if verifier == "truth" else None
        names, shown = same.names(told), case.shown
        drawn = (shown.teacher, shown.sample) if shown else None
        yield _Heard(Case(case.id, said, known, names, drawn), question, shown.text if shown else None)


def _rights(said: Said) -> dict[str, bool | None]:
    """Whether each value is right, as far as is known."""
    found: dict[str | None, bool | None] = {}
    for each in said.values():
        found.update(zip(each.values, each.rights, strict=True))
    return {value: right for value, right in found.items() if value is not None}


def _case_lines(night: Night, chunk: Chunk) -> tuple[list[CaseLine], list[dict[str, Heard]]]:
    teachers = [teacher.name for teacher in night.recipe.teachers]
    cases = list(night.read(beside(night, chunk, merge.chunks), case_line))
    if night.recipe.committee.confidence != "stated":
        return cases, [hearing.hear_solutions(case.solutions, teachers) for case in cases]
    heard = []
    for case, said in merge.texts(night, chunk, cases):
        sure = {name: [stated(text) for text in row.texts] for name, row in said.items()}
        heard.append(hearing.hear_solutions(case.solutions, teachers, sure))
    return cases, heard


def _learn(night: Night, terms: Terms) -> Reliability:
    """How reliable each teacher is, from the votes of the whole night: a pass over all its rows."""
    closed = night.recipe.answers.value == "yes_no"
    times: Counter[Votes] = Counter()
    for one in chunks(night):
        for case, *_ in _cases(night, one, Counter()):
            own = committee.ballots(case.said, terms, case.names)
            times[committee.pattern(own, case.names, closed=closed)] += 1
    # A table needs classes; letters are dealt by chance, so no teacher leans to one: on four committees of the
    # quickstart one number added 0.3 to 1.4 points to the majority's share, a table -0.4 to 0.5 (measured).
    return dawid_skene(times, ("no", "yes")) if closed else one_coin(times)


STEP = Step("committee", chunks, make)
