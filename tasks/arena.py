"""One chunk of the arena: challenges answered by one player's model, or by a teacher that votes on what is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from nightschool import answers, school
from nightschool import arena as rule
from nightschool.arena_keys import prompt_of, sampling_of
from nightschool.challenges import distinct
from nightschool.chunks import Chunk, split
from nightschool.recipe.arena import met, players_of, voters, writers
from nightschool.records import Answer, Challenge
from nightschool.report.arena import Arena
from nightschool.seeds import seed_of
from nightschool.wire import Ask, Reply
from tasks import balance, drafts
from tasks import challenges as written
from tasks.asking import ask_each
from tasks.challenges import left_out, made_from
from tasks.layout import laid
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.arena
    if section is None:
        return []
    runs = {name: split(asked(night, name), section.chunk_rows) for name in answering(night)}
    questions = [manifest for _, manifest in night.made(written.chunks(night))]
    after = {name: [*questions, *made_from(night, name)] for name in runs}
    return laid(night, "arena", runs, "answered by", after)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, name = night.recipe.arena, chunk.part
    assert section is not None
    prompt, sampling = prompt_of(night.recipe, name, "answers"), sampling_of(night.recipe, name, "answers")
    mine = split(asked(night, name), section.chunk_rows)[chunk.index]
    draft, cost = drafts.fresh(night, chunk, served, name, [row.question for row in mine if row.question])

    def ask_of(row: Challenge) -> Ask:
        assert row.question is not None
        seed = seed_of("arena", night.recipe.seed, row.id)
        return answers.ask(row.question, row_id=row.id, prompt=prompt, sampling=sampling, seed=seed,
                           draft=draft(row.question))  # fmt: skip

    def read(row: Challenge, reply: Reply) -> list[Answer]:
        assert row.question is not None
        count = len(row.question.choices)
        casts = tuple(answers.cast(choice, choices=count, repair=False) for choice in reply.choices)
        return [Answer(id=row.id, teacher=name, casts=casts)]

    made = ask_each(
        night,
        chunk,
        served[name],
        mine,
        ask_of=ask_of,
        flaw=None,  # an answer that cannot be read is a failed one
        read=read,
        topic_of=lambda row: row.topic,
    )
    return replace(made, figures={**made.figures, **{what: made.figures[what] + count for what, count in cost.items()}})


def answering(night: Night) -> tuple[str, ...]:
    """Who answers for players, then who only votes; without stages that are not trained."""
    names = dict.fromkeys((*(one.answers for one in players_of(night.recipe)), *voters(night.recipe)))
    return tuple(name for name in names if not left_out(night, name))


def asked(night: Night, name: str) -> Sequence[Challenge]:
    """The challenges that a model answers: for its players, or as a voter those that the solver could not read."""
    recipe = night.recipe
    voting = name in voters(recipe)
    against = set(writers(players_of(recipe)) if voting else met(players_of(recipe), name))
    return [
        one
        for one in _challenges(night)
        if one.author in against and one.flaw is None and one.question and not (voting and one.question.truth)
    ]


def measured(night: Night) -> Arena | None:
    """Matches, odds and what became of the questions, as far as they were answered."""
    section, recipe = night.recipe.arena, night.recipe
    if section is None or not night.made(chunks(night)):
        return None
    # scipy, which only the report needs
    from nightschool.report.matches import measure_arena

    replies: dict[str, dict[str, str | None]] = defaultdict(dict)
    votes: dict[str, dict[str, str | None]] = defaultdict(dict)
    voting = voters(recipe)
    for answer in night.each(chunks(night), Answer):
        replies[answer.teacher][answer.id] = answer.casts[0].letter
        if answer.teacher in voting:
            votes[answer.id] |= {f"{answer.teacher} {n}": cast.letter for n, cast in enumerate(answer.casts)}
    taught = _taught(night)

    def fate(one: Challenge) -> rule.Fate:
        ruled = rule.fate(one, votes[one.id], quorum=recipe.quorum, min_agreement=recipe.committee.min_agreement)
        known = ruled.kind == "valid" and one.question and school.normalise(one.question.question) in taught
        return rule.Fate("void", reason="taught") if known else ruled

    return measure_arena(
        [(one, fate(one)) for one in _challenges(night)],
        replies,
        [one for one in players_of(recipe) if not left_out(night, one.writes) and not left_out(night, one.answers)],
        questions=section.questions,
    )


def _challenges(night: Night) -> list[Challenge]:
    """All of them, those that are repeated marked so; read once."""
    made = night.made(written.chunks(night))
    digests = " ".join(manifest.digest for _, manifest in made)
    return night.once(f"challenges {digests}", lambda: distinct(night.rows(written.chunks(night), Challenge)))


def _taught(night: Night) -> frozenset[str]:
    """Questions that the student was taught: to answer these is no proof of anything."""
    found = balance.taught(night) if night.recipe.learner else []
    return frozenset(school.normalise(ruling.question.question) for ruling in found)


STEP = Step("arena", chunks, make, at_once=lambda night: getattr(night.recipe.arena, "chunks_in_flight", 1))
