"""The funnel: how many rows each phase let through, per topic, and why the others went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from nightschool.chunks import Chunk
from nightschool.records import Dropped, Question, Ruling, Written
from nightschool.report.figures import Funnel
from tasks import answers, balance, committee, merge, pool, questions, sft
from tasks.night import Night


def funnel(night: Night) -> Iterator[Funnel]:
    """Written, valid, asked, agreed, balanced, trained: as far as the night has come."""
    if written := night.made(questions.chunks(night)):
        lost = [row for chunk, _ in written for row in night.store.dropped(chunk, Dropped)]
        valid = night.rows(questions.chunks(night), Written)
        yield _step("written", [row.topic for row in (*valid, *lost)], {})
        yield _step("valid", [row.topic for row in valid], _reasons(night, questions.chunks(night)))
    if night.made(pool.chunks(night)):
        asked = night.rows(pool.chunks(night), Question)
        yield _step("asked", [row.topic for row in asked], _reasons(night, pool.chunks(night)))
    if night.recipe.answers.reply == "text":
        yield from _solved(night)
    for name, module in (("agreed", committee), ("balanced", balance)):
        if night.made(module.chunks(night)):
            kept = night.rows(module.chunks(night), Ruling)
            yield _step(name, [row.question.topic for row in kept], _reasons(night, module.chunks(night)))
            if name == "balanced" and night.made(sft.chunks(night)):
                yield _step("trained", [row.question.topic for row in kept], {})


def _solved(night: Night) -> Iterator[Funnel]:
    """What each teacher solved, and what was merged; counted from the manifests, for these rows may be many."""
    for teacher in night.recipe.teachers:
        theirs = [chunk for chunk in answers.chunks(night) if chunk.part == teacher.name]
        if made := night.made(theirs):
            total = sum(manifest.rows for _, manifest in made)
            yield Funnel(step=f"solved by {teacher.name}", total=total, dropped=_reasons(night, theirs))
    if made := night.made(merge.chunks(night)):
        yield Funnel(step="merged", total=sum(manifest.rows for _, manifest in made))


def _step(name: str, topics: Iterable[str], dropped: dict[str, int]) -> Funnel:
    counts = Counter(topics)
    return Funnel(
        step=name,
        total=counts.total(),
        per_topic={topic: count for topic, count in sorted(counts.items()) if topic},
        dropped=dropped,
    )


def _reasons(night: Night, chunks: Sequence[Chunk]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for _, manifest in night.made(chunks):
        counts.update(manifest.dropped)
    return dict(counts.most_common())
