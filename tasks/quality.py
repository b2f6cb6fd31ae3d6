"""One chunk of question quality: pairs of questions put to one judge, each in both orders."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool import quality as rule
from nightschool.challenges import distinct
from nightschool.chunks import Chunk, Manifest, split
from nightschool.quality import Pair, Preferred
from nightschool.recipe.quality import Comparison, judges_of
from nightschool.records import LETTERS, Challenge, Written
from nightschool.report.quality import Compared
from nightschool.seeds import rng_of
from tasks import challenges, questions
from tasks.asking import ask_each
from tasks.layout import laid
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.quality
    if section is None:
        return []
    names, runs = judges_of(night.recipe), split(_pairs(night), section.chunk_rows)
    return laid(night, "quality", dict.fromkeys(names, runs), "judged by", dict.fromkeys(names, _after(night)))


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section, seed = night.recipe.quality, night.recipe.seed
    assert section is not None
    return ask_each(
        night,
        chunk,
        served[chunk.part],
        split(_pairs(night), section.chunk_rows)[chunk.index],
        ask_of=lambda pair: rule.ask(pair, prompt=section.prompt, sampling=section.sampling, seed=seed),
        flaw=rule.flaw,
        read=lambda pair, reply: [rule.read(reply, pair)],
        topic_of=lambda pair: pair.topic,
    )


def measured(night: Night) -> tuple[Compared, ...]:
    """Every comparison by every judge, as far as it was judged; also of questions of which none could be compared."""
    section = night.recipe.quality
    if section is None or not night.made(chunks(night)):
        return ()
    # scipy, which only the report needs
    from nightschool.report.preferences import compared

    rows = {
        name: night.rows([chunk for chunk in chunks(night) if chunk.part == name], Preferred)
        for name in judges_of(night.recipe)
    }
    return tuple(
        compared([row for row in said if row.comparison == one.name], ours=one.ours, theirs=one.theirs, judge=name)
        for one in section.compare
        for name, said in rows.items()
    )


def _after(night: Night) -> list[Manifest]:
    step = challenges if night.recipe.arena else questions
    return [manifest for _, manifest in night.made(step.chunks(night))]


def _pairs(night: Night) -> list[Pair]:
    """All pairs of all comparisons; found once, as long as the questions are the same."""
    digests = " ".join(manifest.digest for manifest in _after(night))
    return night.once(f"pairs of questions {digests}", lambda: _found(night))


def _found(night: Night) -> list[Pair]:
    section = night.recipe.quality
    assert section is not None
    written = _of_arena(night) if night.recipe.arena else _of_teachers(night)

    def pairs(one: Comparison) -> list[Pair]:
        ours, theirs = ([each for who, each in written if who == name] for name in (one.ours, one.theirs))
        return rule.pairs(one.name, ours, theirs, most=section.pairs, seed=night.recipe.seed)

    return [pair for one in section.compare for pair in pairs(one)]


def _of_arena(night: Night) -> Sequence[tuple[str, rule.Written]]:
    """Questions that could be read, whatever else is wrong with them; those that were asked before are left out."""
    rows = distinct(night.rows(challenges.chunks(night), Challenge))
    return [
        (row.author, rule.Written(row.id, row.topic, f"{row.question.question}\n{row.question.lettered}"))
        for row in rows
        if row.question and row.flaw != "repeated"
    ]


def _of_teachers(night: Night) -> Sequence[tuple[str, rule.Written]]:
    """What teachers wrote for the night; choices in an order that no writer has chosen."""
    found: list[tuple[str, rule.Written]] = []
    for row in night.rows(questions.chunks(night), Written):
        choices = [row.right, *row.distractors]
        rng_of("quality choices", night.recipe.seed, row.id).shuffle(choices)
        lettered = "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
        found.append((row.teacher, rule.Written(row.id, row.topic, f"{row.question}\n{lettered}")))
    return found


STEP = Step("quality", chunks, make, at_once=lambda night: getattr(night.recipe.quality, "chunks_in_flight", 1))
