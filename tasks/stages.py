"""The student's stages in the store: what each is made from, and where it lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nightschool.chunks import Chunk, Manifest, split
from nightschool.drafts import draft_id
from nightschool.keys import place
from nightschool.mended import Seen
from nightschool.recipe.stages import BASE, Learner, Stage
from nightschool.records import Question, Ruling
from nightschool.rounds import SIDE
from nightschool.seeds import drawn
from nightschool.validate import Side
from tasks import balance, critique, held, held_questions, pool, questions, school
from tasks.layout import laid
from tasks.night import Night


@dataclass(frozen=True, slots=True)
class Weights:
    """A stage as it can be loaded: a model's folder or hub id, and the adapter on it if there is one."""

    model: str
    adapter: Path | None = None


def learner(night: Night) -> Learner:
    """Who learns in a night in which somebody does."""
    found = night.recipe.learner
    assert found is not None
    return found


def of_kind(night: Night, kind: str) -> list[Stage]:
    """The stages of a phase, "sft" or "dpo", or the loops, "rounds"."""
    return [stage for stage in night.recipe.stages if stage.kind == kind] if night.recipe.learner else []


# Manifests by the stage's name, so that a chain of stages is looked up once and not once more for every link.
Known = dict[str, list[Manifest]]


def training(night: Night, name: str, known: Known | None = None) -> Chunk:
    """The chunk in which a stage is trained; for what a loop led to, the one that keeps it."""
    stage, known = learner(night).stage(name), {} if known is None else known
    if stage.kind == "rounds":
        return _outcome(night, stage, known)
    ordinal = [one.name for one in of_kind(night, stage.kind)].index(name)
    held = [stage.reference] if stage.kind == "dpo" and stage.reference != stage.start else []
    after = [
        *(manifest for _, manifest in night.made([*_taught(night, stage, known)])),
        *(manifest for before in (stage.start, *held) for manifest in made_from(night, before, known)),
    ]
    return night.chunk(place(learner(night), name), 0, ordinal, f"{name} of the student", rows=0, after=after)


def taught(night: Night, stage: Stage, chunk_rows: int | None = None, index: int = 0) -> list[Ruling]:
    """The rows that a stage learns from, all or a run of them: those to train on, or as many as it wants of them."""
    wanted = stage.section.questions
    if wanted is None:
        return balance.taught(night, chunk_rows, index)
    rows = balance.taught(night)
    names = drawn((row.id for row in rows), wanted, "questions", night.recipe.seed)
    found = [row for row in rows if row.id in names]
    return found if chunk_rows is None else found[index * chunk_rows : (index + 1) * chunk_rows]


def sampled(night: Night, stage: Stage) -> tuple[Seen, ...]:
    """The sides whose rows a stage sees: those that it learns from, and those that it is looked at by."""
    return ("train", "validation") if stage.section.evaluate and held.split_off(night) else ("train",)


def seen(night: Night, stage: Stage, chunk_rows: int | None = None, index: int = 0) -> list[Ruling]:
    """All rows of the sides that a stage sees, or a run of them: first those to train on."""
    if "validation" not in sampled(night, stage):
        return taught(night, stage, chunk_rows, index)
    rows = [*taught(night, stage), *balance.taught(night, sides=("validation",))]
    return rows if chunk_rows is None else rows[index * chunk_rows : (index + 1) * chunk_rows]


def sampling(night: Night, name: str, known: Known | None = None) -> list[Chunk]:
    """The chunks of pairs that a dpo stage learns from."""
    stage, section = learner(night).stage(name), night.recipe.pairs
    assert section is not None
    after = [manifest for _, manifest in night.made(balance.out(night))]
    after += drafts_for(night, name, known)
    if section.rejected == "teacher":
        after += [manifest for _, manifest in night.made(critique.chunks(night))]
    elif stage.drafter != BASE:
        after += made_from(night, stage.drafter, known)
    count = balance.lessons(night)
    beside = balance.lessons(night, ("validation",)) if "validation" in sampled(night, stage) else 0
    runs = split(range(min(count, stage.section.questions or count) + beside), section.chunk_rows)
    turn = [one.name for one in of_kind(night, "dpo")].index(name)
    return laid(night, "pairs", {name: runs}, "for", {name: after}, turn * len(runs))


def gates(loop: Stage) -> list[str]:
    """Where a loop measures the student: before its first round, and after each."""
    return [f"{loop.name}-{number}" for number in range(loop.round + 1)]


def gate(night: Night, loop: Stage, number: int, rows: int = 0, known: Known | None = None) -> Chunk:
    """The chunk in which the student is measured after so many rounds of a loop."""
    name = gates(loop)[number]
    what = f"gate after round {number}/{loop.round} of {loop.name}" if number else f"{loop.start} before {loop.name}"
    after = asked_with(night, measured_at(loop, number), known)
    return night.chunk(f"rounds/{name}", 0, _turn(night, name), what, rows=rows, after=after)


def asked(night: Night, stage: Stage) -> tuple[str, ...]:
    """Whom a stage's gate and drafts ask, where that is known to be one alone."""
    return (learner(night).before_gate(stage),) if stage.gate else ()


def measured_at(loop: Stage, number: int) -> str:
    """The stage that a loop has come to after so many rounds."""
    return gates(loop)[number] if number else loop.start


def _outcome(night: Night, loop: Stage, known: Known) -> Chunk:
    trained = [made_from(night, measured_at(loop, number), known) for number in range(loop.round + 1)]
    measured = night.made([gate(night, loop, number, known=known) for number in range(loop.round + 1)])
    after = [*(manifest for each in trained for manifest in each), *(manifest for _, manifest in measured)]
    return night.chunk(f"rounds/{loop.name}", 0, _turn(night, loop.name), f"{loop.name}: what is kept of it", rows=0,
                       after=after)  # fmt: skip


def _turn(night: Night, part: str) -> int:
    return [name for loop in of_kind(night, "rounds") for name in (*gates(loop), loop.name)].index(part)


def made_from(night: Night, name: str, known: Known | None = None) -> list[Manifest]:
    """What the base or a stage was made by: the school or nothing for base, else its training."""
    known, student = {} if known is None else known, learner(night).student
    if name not in known:
        chunks = school.chunk_of(night, student) if name == BASE else [training(night, name, known)]
        known[name] = [manifest for _, manifest in night.made(chunks)]
    return known[name]


def asked_with(night: Night, name: str, known: Known | None = None) -> list[Manifest]:
    """What the answers of the base or a stage are made from: what it was made by, and the drafts that it is shown."""
    return [*made_from(night, name, known), *drafts_for(night, name, known)]


def drafts_for(night: Night, name: str, known: Known | None = None) -> list[Manifest]:
    """The drafts that the base or a stage is shown, as one input."""
    drafter = learner(night).draft_of(name)
    return [manifest for _, manifest in night.made(drafting(night, drafter, known))] if drafter else []


def drafting(night: Night, name: str, known: Known | None = None) -> list[Chunk]:
    """The chunks of drafts by the base or a stage, which later stages are shown."""
    runs = split(drafted(night, name), learner(night).validate.chunk_rows)
    turn = [*dict.fromkeys(stage.draft_of for stage in learner(night).stages if stage.draft_of)].index(name)
    return laid(night, "drafts", {name: runs}, "of", {name: made_from(night, name, known)}, turn * len(runs))


def drafted(night: Night, name: str) -> Sequence[Question]:
    """The questions that are drafted for: all that stages which show the drafts learn from and are asked, once each."""
    showing = [stage for stage in learner(night).stages if stage.draft_of == name]
    made = night.made([*balance.out(night), *pool.chunks(night)])

    def found() -> Sequence[Question]:
        rows = [ruling.question for stage in showing if stage.kind != "rounds" for ruling in seen(night, stage)]
        sides: set[Side] = {learner(night).validate.side, *(SIDE for stage in showing if stage.gate)}
        rows += [question for side in sorted(sides) for question, _ in held_questions.rows(night, side)]
        return tuple({draft_id(question): question for question in rows}.values())

    return night.once(f"drafted {name} {' '.join(manifest.digest for _, manifest in made)}", found)


def output(night: Night, name: str) -> Path:
    """Where a stage lies once its chunk is whole."""
    return night.store.path(training(night, name), "out")


def rendered(night: Night, name: str) -> Path:
    """The stage whose prompts, as they were trained, tell how the base or a stage must read them: its own."""
    return output(night, learner(night).stages[0].name if name == BASE else name)


def weights(night: Night, name: str) -> Weights:
    """What is loaded for the base or a stage."""
    if name == BASE:
        return Weights(night.model_path(learner(night).student))
    stage = learner(night).stage(name)
    if stage.whole:
        return Weights(str(output(night, name)))
    return Weights(weights(night, stage.under).model, output(night, name))


def _taught(night: Night, stage: Stage, known: Known) -> Iterator[Chunk]:
    """Where the rows lie that a stage learns."""
    if stage.draft_of:
        yield from drafting(night, stage.draft_of, known)
    if stage.kind == "dpo" and stage.answers:
        yield from sampling(night, stage.name, known)
        return
    if {"answers", "questions"} & set(stage.teaches):
        yield from balance.out(night)
    if "questions" in stage.teaches:
        yield from questions.chunks(night)
    if "critiques" in stage.teaches:
        yield from critique.chunks(night)
