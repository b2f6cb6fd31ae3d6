"""The committee's sitting: a ruling on every question, from letters or from free solutions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from nightschool import committee
from nightschool.chunks import Chunk
from nightschool.committee import Known, Said, Terms
from nightschool.lines import case_line
from nightschool.recipe.committee import terms_of
from nightschool.records import Answer, Question
from nightschool.reliability import Reliability, Votes, dawid_skene, one_coin
from nightschool.sameness import Sameness, tell
from nightschool.sitting import sit
from nightschool.voting import Same
from tasks import answers, merge, pool
from tasks.night import Night
from tasks.step import Made, Served, Step

# A question with what was said on it, what is known of it, and which values are one.
_Case = tuple[Question, Said, Known | None, Same]

# What was learned of the teachers of the last night, by what it was learned from: a pass over all its rows.
_learned: dict[tuple[object, ...], Reliability] = {}


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply == "letter":
        after = [manifest for _, manifest in night.made(answers.chunks(night))]
        rows = sum(chunk.rows for chunk in pool.chunks(night))
        return [night.chunk("committee", 0, 0, "committee", rows=rows, after=after)]
    if not night.recipe.rules:
        return []
    merged = merge.chunks(night)
    whole = {chunk.index: manifest for chunk, manifest in night.made(merged)}
    together = night.recipe.committee.strategy == "reliability"
    return [
        night.chunk(
            "committee",
            chunk.index,
            chunk.index,
            f"committee chunk {chunk.index + 1}/{len(merged)}",
            rows=chunk.rows,
            after=[one for index, one in whole.items() if together or index == chunk.index],
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
    rulings = [
        committee.rule(question, said, terms, known=known, same=same)
        for question, said, known, same in _cases(night, chunk.index, unjudged)
    ]
    sitting = sit(rulings, not_compared=unjudged["pairs"])
    return Made(
        rows=[ruling for ruling in rulings if ruling.verdict == "accept"],
        dropped=[(ruling.reason or "no_answer", ruling) for ruling in rulings if ruling.verdict != "accept"],
        figures={"sitting": sitting.model_dump(), "reliability": dict(reliability.share) if reliability else {}},
    )


def _cases(night: Night, index: int, unjudged: Counter[str]) -> Iterator[_Case]:
    """The questions of a chunk in order; `unjudged` counts the pairs of values that could not be compared."""
    if night.recipe.answers.reply == "letter":
        return _letters(night)
    return _solutions(night, index, unjudged)


def _letters(night: Night) -> Iterator[_Case]:
    teachers = [teacher.name for teacher in night.recipe.teachers]
    given: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer):
        given[answer.id][answer.teacher] = answer
    for question in night.rows(pool.chunks(night), Question):
        verifier = night.recipe.verifier
        known = committee.known(question, solver=verifier == "solver", truth=verifier == "truth")
        yield question, committee.hear(question, given[question.id], teachers), known, str.__eq__


def _solutions(night: Night, index: int, unjudged: Counter[str]) -> Iterator[_Case]:
    teachers, kind = [teacher.name for teacher in night.recipe.teachers], night.recipe.answers.kind
    solved = list(night.read([one for one in merge.chunks(night) if one.index == index], case_line))
    heard = [committee.hear_solutions(row.solutions, teachers, night.recipe.committee.confidence) for row in solved]
    rights = [{one.value: one.right for each in said.values() for one in each if one.value} for said in heard]
    told = tell([Sameness(right, kind) for right in rights], merge.compare)
    unjudged["pairs"] += sum(verdict is None for verdict in told.values())
    for row, said, right in zip(solved, heard, rights, strict=True):
        question = Question.model_validate_json(bytes(row.question))
        known = committee.truth_of(question, kind) if night.recipe.verifier == "truth" else None
        yield question, said, known, Sameness(right, kind, told)


def _learn(night: Night, chunk: Chunk, terms: Terms) -> Reliability:
    """How reliable each teacher is, from the votes of the whole night; kept for the night's other chunks."""
    learned_from = (chunk.key, chunk.inputs)
    if learned_from not in _learned:
        closed = night.recipe.answers.value == "yes_no"
        times: Counter[Votes] = Counter()
        for one in chunks(night):
            for _, said, _, same in _cases(night, one.index, Counter()):
                times[committee.pattern(committee.ballots(said, terms, same), same, closed=closed)] += 1
        _learned.clear()
        # A table needs classes; letters are dealt by chance, so no teacher leans to one: on four committees of the
        # quickstart one number added 0.3 to 1.4 points to the majority's share, a table -0.4 to 0.5 (measured).
        _learned[learned_from] = dawid_skene(times, ("no", "yes")) if closed else one_coin(times)
    return _learned[learned_from]


STEP = Step("committee", chunks, make)
