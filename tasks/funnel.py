"""The funnel: how many rows each phase let through, and why the others went; what solutions were worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from nightschool.chunks import Chunk, Manifest
from nightschool.classes import NONE
from nightschool.hearing import truth_of
from nightschool.lines import ruled_line, topic_line, truth_line
from nightschool.recipe.choosing import closed
from nightschool.records import Dropped, Written
from nightschool.report.figures import Funnel
from nightschool.report.guessing import guess
from nightschool.report.marks import measure_marks
from nightschool.report.proof import Estimate, Marks, Votes
from nightschool.report.votes import measure_votes
from nightschool.sitting import Sitting
from nightschool.tallies import Tally
from tasks import answers, balance, committee, filters, held, merge, pool, questions, review, splits, stages
from tasks.night import Night


def funnel(night: Night) -> Iterator[Funnel]:
    """Written, valid, asked, agreed, balanced, trained: as far as the night has come."""
    if written := night.made(questions.chunks(night)):
        lost = [row for chunk, _ in written for row in night.store.dropped(chunk, Dropped)]
        valid = night.rows(questions.chunks(night), Written)
        yield _step("written", [row.topic for row in (*valid, *lost)], {})
        yield _step("valid", [row.topic for row in valid], _reasons(night, questions.chunks(night)))
    if night.made(pool.chunks(night)):
        asked = night.read(pool.chunks(night), topic_line)
        yield _step("asked", (row.topic for row in asked), _reasons(night, pool.chunks(night)))
    if night.recipe.answers.reply == "text":
        yield from _solved(night)
    for name, module in (("agreed", committee), ("reviewed", review)):
        if night.made(module.chunks(night)):
            yield _step(name, _topics(night, module.out(night)), _reasons(night, module.chunks(night)))
    yield from _filtered(night)
    yield from _balanced(night)


def _filtered(night: Night) -> Iterator[Funnel]:
    """Each filter, counted from the manifests; then what is left to train on when some rows are held out."""
    made = [manifest.figures["filters"] for _, manifest in night.made(filters.chunks(night))]
    for one in zip(*made, strict=True):
        reasons = sum((Counter(figures["reasons"]) for figures in one), Counter[str]())
        topics = Counter[str]()
        for figures in one:
            for topic, (_, after) in figures["shares"].get("topic", {}).items():
                topics[topic] += round(after)
        total = sum(figures["rows_out"] for figures in one)
        yield _counted(one[0]["name"], total, topics, dict(reasons.most_common()))
    if made := night.made(splits.chunks(night)):
        sides = sum((Counter(manifest.figures["sides"]) for _, manifest in made), Counter[str]())
        held = {f"held out for {side}": sides[side] for side in ("validation", "test") if sides[side]}
        yield _counted("to train on", sides["train"], Counter(), held | _reasons(night, splits.chunks(night)))


def _balanced(night: Night) -> Iterator[Funnel]:
    if night.made(balance.chunks(night)):
        topics = [ruling.question.topic for ruling in balance.taught(night)]
        yield _step("balanced", topics, _reasons(night, balance.chunks(night)))
    trained = [stage for stage in stages.of_kind(night, "sft") if stage.answers and stages.made_from(night, stage.name)]
    if trained:
        stage = max(trained, key=lambda one: len(stages.taught(night, one)))
        rows, of = stages.taught(night, stage), held.side_for(night, stage)
        topics = [row.question.topic for row in rows if of(row.side, row.question.question) == "train"]
        back = len(rows) - len(topics)
        yield _step("trained", topics, {"held back to evaluate by": back} if back else {})


def _solved(night: Night) -> Iterator[Funnel]:
    """What each teacher solved, and what was merged; counted from the manifests, for these rows may be many."""
    for teacher in night.recipe.teachers:
        theirs = [chunk for chunk in answers.chunks(night) if chunk.part == teacher.name]
        if made := night.made(theirs):
            total = sum(manifest.rows for _, manifest in made)
            yield Funnel(step=f"solved by {teacher.name}", total=total, dropped=_reasons(night, theirs))
    if made := night.made(merge.chunks(night)):
        yield Funnel(step="merged", total=sum(manifest.rows for _, manifest in made))
        if found := _classes(made):
            lost = {reason: found[reason] for reason in ("no_truth", "not_judged") if found[reason]}
            yield Funnel(step="judged", total=found.total() - sum(lost.values()), dropped=lost)


def marks(night: Night) -> Marks | None:
    """What every teacher got right, and how they agree; None where no value was looked for or no truth is known."""
    made = night.made(merge.chunks(night))
    tallies: dict[str, Tally] = {}
    for _, manifest in made:
        for name, counts in manifest.figures.get("marks", {}).items():
            tallies[name] = tallies.get(name, Tally()) + Tally.model_validate(counts)
    return measure_marks(tallies, _classes(made), _baselines(night))


def votes(night: Night) -> Votes | None:
    """How the committee ruled, counted from its chunks; None where it did not sit."""
    made = [manifest.figures for _, manifest in night.made(committee.chunks(night))]
    section = night.recipe.committee
    return measure_votes(
        sum((Sitting.model_validate(figures["sitting"]) for figures in made), Sitting()),
        strategy=section.strategy,
        voters=section.voters,
        quorum=night.recipe.quorum,
        min_agreement=section.min_agreement,
        learned=made[0]["reliability"] if made else {},
        baselines=_baselines(night),
    )


def _baselines(night: Night) -> dict[str, Estimate]:
    """What guessing reaches on the questions that were asked and whose truth is known."""
    section = night.recipe.answers
    lines = night.read(pool.chunks(night), truth_line)
    letters = section.reply == "letter"
    known = Counter(one.truth if letters else one.answer for one in lines)
    truths = Counter[str]()
    for said, times in known.items():
        truth = said if letters else found.answer if (found := truth_of(said, section.kind)) else None
        truths.update({truth: times} if truth is not None else {})
    return guess(truths, closed=closed(section))


def _classes(made: Sequence[tuple[Chunk, Manifest]]) -> Counter[str]:
    return sum((Counter(manifest.figures.get("classes", {})) for _, manifest in made), Counter[str]())


def _topics(night: Night, chunks: Sequence[Chunk]) -> Iterator[str]:
    return (ruling.question.topic for ruling in night.read(chunks, ruled_line))


def _step(name: str, topics: Iterable[str], dropped: dict[str, int]) -> Funnel:
    counts = Counter(topics)
    return _counted(name, counts.total(), counts, dropped)


def _counted(name: str, total: int, topics: Counter[str], dropped: dict[str, int]) -> Funnel:
    return Funnel(
        step=name,
        total=total,
        per_topic={topic: count for topic, count in sorted(topics.items()) if topic and topic != NONE},
        dropped=dropped,
    )


def _reasons(night: Night, chunks: Sequence[Chunk]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for _, manifest in night.made(chunks):
        counts.update(manifest.dropped)
    return dict(counts.most_common())
