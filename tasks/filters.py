"""The filters: a chunk for each one of accepted rows."""

from __future__ import annotations

from collections.abc import Callable

from blocks.picked import Picked
from nightschool import filters
from nightschool.chunks import Chunk, Manifest, combined, together
from nightschool.errors import DataError
from nightschool.filters import Check, Found
from nightschool.language import foreign
from nightschool.near import Twin
from nightschool.overlap import Passages
from nightschool.recipe.data_file import Source
from nightschool.recipe.filters import (
    Consistency,
    Contamination,
    Difficulty,
    Filter,
    Format,
    Language,
    Length,
    NearDuplicates,
)
from nightschool.records import Question
from nightschool.ruling_line import QuestionPart, RulingLine, ruling_line
from tasks import review
from tasks.earlier import ended_with
from tasks.night import Night
from tasks.standing import standing
from tasks.step import Made, Served, Step

Find = Callable[[RulingLine], Found | None]


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.filters
    if section is None:
        return []
    before = review.out(night)
    made = {chunk: manifest for chunk, manifest in night.made(before)}
    # A duplicate may lie in any chunk, so each is made from all.
    wide = together([*made.values(), *_taught_before(night)]) if section.near_duplicates else None
    return [
        night.chunk(
            "filters",
            place,
            place,
            f"filters chunk {place + 1}/{len(before)}",
            rows=made[chunk].rows if chunk in made else 0,
            after=wide if wide is not None else [made[chunk]] if chunk in made else [],
        )
        for place, chunk in enumerate(before)
    ]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with."""
    return chunks(night) or review.out(night)


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.filters
    assert section is not None
    checks = [Check(name, _find(night, chunk, one), one.weight) for name, one in section.named.items()]
    before = standing(night, chunk.phase, "chunks", lambda: review.out(night))
    source = before[chunk.index]
    rows = list(night.read([source], ruling_line))
    found = filters.sieve(rows, checks, night.recipe.watched)
    dropped = [(reason, row.line) for reason, row in found.dropped]
    figures = {"filters": [tally.figures() for tally in found.tallies]}
    places = {id(row): place for place, row in enumerate(rows)}
    if found.kept and all(id(row) in places for row in found.kept):
        return Made(Picked(source, [places[id(row)] for row in found.kept]), dropped, figures=figures)
    return Made([row.line for row in found.kept], dropped, figures=figures)


def look(night: Night) -> None:
    """Tries what the filters read beside the night's own rows, before anything is paid for.

    Raises:
        RecipeError: an earlier night is not there, or has taught nothing.
        DataError: a file of an evaluation set is not what it was when the night began.
    """
    section = night.recipe.filters
    if section and section.near_duplicates:
        _taught_before(night)
    for name, source in (section.contamination.sets if section and section.contamination else {}).items():
        _unchanged(name, source)


def _find(night: Night, chunk: Chunk, section: Filter) -> Find:
    match section:
        case Consistency():
            return lambda row: filters.consistency(row, section.drop)
        case Difficulty():
            return lambda row: filters.difficulty(row, section.least, section.most)
        case Format():
            return lambda row: filters.form(row, section.require, section.forbid)
        case Length():
            return lambda row: _length(row, section)
        case Language():
            return lambda row: _foreign(row, section)
        case NearDuplicates():
            return _repeated(night, chunk, section)
        case Contamination():
            return _contaminated(night, section)
        case _:
            raise TypeError(f"no such filter: {type(section).__name__}")


def _length(row: RulingLine, section: Length) -> Found | None:
    for text, span in ((row.question.question, section.question), (row.reasoning, section.explanation)):
        if found := filters.length(text, section.unit, span.least, span.most):
            return found
    return None


def _foreign(row: RulingLine, section: Language) -> Found | None:
    code = foreign(row.question.question, section.allowed) or foreign(row.reasoning, section.allowed)
    return Found("other_language", code) if code else None


def _repeated(night: Night, chunk: Chunk, section: NearDuplicates) -> Find:
    twins = night.once(f"twins {chunk.inputs}", lambda: _twins(night, section))

    def find(row: RulingLine) -> Found | None:
        twin = twins.get(row.id)
        return Found("near_duplicate", f"{twin.share:.0%} as {twin.id}") if twin else None

    return find


def _twins(night: Night, section: NearDuplicates) -> dict[str, Twin]:
    from nightschool.sketches import Sketches, duplicates  # a second, and `plan` needs none of it

    sketches = Sketches()
    for name in section.against:
        for row in night.read([chunk for chunk, _ in ended_with(night, name)], ruling_line):
            sketches.add(f"{name}/{row.id}", asked(row.question))
    fixed = len(sketches)
    for row in night.read(review.out(night), ruling_line):
        sketches.add(row.id, asked(row.question))
    return duplicates(sketches, threshold=section.threshold, fixed=fixed)


def asked(question: Question | QuestionPart) -> str:
    """What makes two questions the same: the text with its choices."""
    return f"{question.question}\n{question.lettered}" if question.choices else question.question


def _contaminated(night: Night, section: Contamination) -> Find:
    digests = [source.file.sha256 for source in section.sets.values() if source.file]
    passages = night.once(f"passages {section.words} {combined(digests)}", lambda: _passages(section))

    def find(row: RulingLine) -> Found | None:
        met = passages.find(row.question.question)
        return Found("contaminated", f"{met.name}, question {met.place}: {met.words}") if met else None

    return find


def _passages(section: Contamination) -> Passages:
    passages = Passages(section.words)
    for name, source in section.sets.items():
        _unchanged(name, source)
        passages.add(name, (question.question for question in source.load().questions))
    return passages


def _unchanged(name: str, source: Source) -> None:
    if source.file and source.digest() != source.file.sha256:
        raise DataError(f"the evaluation set {name} has changed since the night began: begin another")


def _taught_before(night: Night) -> list[Manifest]:
    """Manifests of what the nights that are named ended with."""
    section = night.recipe.filters
    names = section.near_duplicates.against if section and section.near_duplicates else ()
    return [manifest for name in names for _, manifest in ended_with(night, name)]


STEP = Step("filters", chunks, make)
