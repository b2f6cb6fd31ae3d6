"""The committee's sitting: a ruling on every question, from letters or from free solutions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from nightschool import committee, hearing
from nightschool.chunks import Chunk, Manifest
from nightschool.committee import Terms
from nightschool.hearing import Heard, Known, Said, Way
from nightschool.lines import CaseLine, asked_line, case_line
from nightschool.recipe.committee import terms_of
from nightschool.records import Answer, Question
from nightschool.reliability import Reliability, Votes, dawid_skene, one_coin
from nightschool.ruling_line import RulingLine
from nightschool.sameness import Sameness, tell
from nightschool.sitting import sit
from nightschool.values.stated import stated
from nightschool.voting import Names
from tasks import answers, merge, pool
from tasks.night import Night
from tasks.standing import beside
from tasks.step import Made, Served, Step


class _Case(NamedTuple):
    """A question as JSON, with what was said on it, what is known of it, and which values are one answer."""

    id: str
    question: bytes
    said: Said
    known: Known | None
    names: Names


# What was learned of the teachers of the last night, by what it was learned from: a pass over all its rows.
_learned: dict[tuple[object, ...], Reliability] = {}
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
    together = [manifest for _, manifest in made] if night.recipe.committee.strategy == "reliability" else ()
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
            after=[*together, *read[chunk.index]],
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
        reliability = _learn(night, chunk, terms)
        terms = terms_of(recipe.committee, quorum=recipe.quorum, seed=recipe.seed, reliability=reliability)
    unjudged: Counter[str] = Counter()
    ways: dict[str, Way | None] = {}
    rulings: list[RulingLine] = []
    for case in _cases(night, chunk, unjudged):
        ruling, ways[case.id] = committee.rule(case.id, case.said, terms, known=case.known, names=case.names)
        ruling.asked = Raw(case.question)
        rulings.append(ruling)
    _write(night, chunk, rulings, ways)
    sitting = sit(rulings, not_compared=unjudged["pairs"])
    return Made(
        rows=[ruling.line for ruling in rulings if ruling.verdict == "accept"],
        dropped=[(ruling.reason or "no_answer", ruling.line) for ruling in rulings if ruling.verdict != "accept"],
        figures={"sitting": sitting.model_dump(), "reliability": dict(reliability.share) if reliability else {}},
    )


def _write(night: Night, chunk: Chunk, rulings: Sequence[RulingLine], ways: Mapping[str, Way | None]) -> None:
    """Puts what is taught into the rulings: a second pass over the answers, for one text in sixteen."""
    if night.recipe.answers.reply == "letter":
        for ruling in rulings:
            ruling.written = Raw(_json(ways[ruling.id] or ""))
        return
    for ruling, said in merge.texts(night, chunk, rulings):
        if isinstance(way := ways[ruling.id], tuple):
            teacher, sample = way
            ruling.written = Raw(said[teacher].text(sample))


def _cases(night: Night, chunk: Chunk, unjudged: Counter[str]) -> Iterator[_Case]:
    """The questions of a chunk in order; `unjudged` counts the pairs of values that could not be compared."""
    if night.recipe.answers.reply == "letter":
        return _letters(night)
    return _solutions(night, chunk, unjudged)


def _letters(night: Night) -> Iterator[_Case]:
    teachers = [teacher.name for teacher in night.recipe.teachers]
    given: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer):
        given[answer.id][answer.teacher] = answer
    for question in night.rows(pool.chunks(night), Question):
        verifier = night.recipe.verifier
        known = hearing.known(question, solver=verifier == "solver", truth=verifier == "truth")
        said = hearing.hear(question, given[question.id], teachers)
        yield _Case(question.id, question.model_dump_json().encode(), said, known, {})


def _solutions(night: Night, chunk: Chunk, unjudged: Counter[str]) -> Iterator[_Case]:
    kind, verifier = night.recipe.answers.kind, night.recipe.verifier
    cases, heard = _heard(night, chunk)
    rights = [_rights(said) for said in heard]
    sames = [Sameness(right, kind) for right in rights]
    told = tell(sames, merge.compare)
    unjudged["pairs"] += sum(verdict is None for verdict in told.values())
    for case, said, same in zip(cases, heard, sames, strict=True):
        question = bytes(case.question)
        known = hearing.truth_of(asked_line(question).answer, kind) if verifier == "truth" else None
        yield _Case(case.id, question, said, known, same.names(told))


def _rights(said: Said) -> dict[str, bool | None]:
    """Whether each value is right, as far as is known."""
    return {
        value: right
        for each in said.values()
        for value, right in zip(each.values, each.rights, strict=True)
        if value is not None
    }


def _heard(night: Night, chunk: Chunk) -> tuple[list[CaseLine], list[dict[str, Heard]]]:
    teachers = [teacher.name for teacher in night.recipe.teachers]
    cases = list(night.read(beside(night, chunk, merge.chunks), case_line))
    if night.recipe.committee.confidence != "stated":
        return cases, [hearing.hear_solutions(case.solutions, teachers) for case in cases]
    heard = []
    for case, said in merge.texts(night, chunk, cases):
        sure = {name: [stated(text) for text in row.texts] for name, row in said.items()}
        heard.append(hearing.hear_solutions(case.solutions, teachers, sure))
    return cases, heard


def _learn(night: Night, chunk: Chunk, terms: Terms) -> Reliability:
    """How reliable each teacher is, from the votes of the whole night; kept for the night's other chunks."""
    learned_from = (chunk.key, chunk.inputs)
    if learned_from not in _learned:
        closed = night.recipe.answers.value == "yes_no"
        times: Counter[Votes] = Counter()
        for one in chunks(night):
            for case in _cases(night, one, Counter()):
                own = committee.ballots(case.said, terms, case.names)
                times[committee.pattern(own, case.names, closed=closed)] += 1
        _learned.clear()
        # A table needs classes; letters are dealt by chance, so no teacher leans to one: on four committees of the
        # quickstart one number added 0.3 to 1.4 points to the majority's share, a table -0.4 to 0.5 (measured).
        _learned[learned_from] = dawid_skene(times, ("no", "yes")) if closed else one_coin(times)
    return _learned[learned_from]


STEP = Step("committee", chunks, make)
