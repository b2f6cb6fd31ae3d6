"""One chunk of the arena's questions: written by one player's model, read, and held against rules and solver."""

from __future__ import annotations

from functools import cache, partial

from blocks.tokens import counter
from nightschool import challenges as rule
from nightschool import pool, questions, school
from nightschool.arena_keys import is_stage, prompt_of, sampling_of
from nightschool.chunks import Chunk, Manifest, split
from nightschool.contest import Count
from nightschool.recipe.arena import Arena, players_of, writers
from nightschool.records import LETTERS, Challenge, Dropped
from nightschool.seeds import rng_of, seed_of
from nightschool.wire import Ask, Reply
from tasks import branches, stages
from tasks.asking import ask_each
from tasks.layout import laid
from tasks.night import Night
from tasks.step import Made, Served, Step

# Of so many generated questions one is shown where a prompt has an example.
_EXAMPLES = 16


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.arena
    if section is None:
        return []
    runs = split(list(_wanted(night, section)), section.chunk_rows)
    names = [name for name in writers(players_of(night.recipe)) if not left_out(night, name)]
    return laid(night, "challenges", dict.fromkeys(names, runs), "by", {name: made_from(night, name) for name in names})


def left_out(night: Night, name: str) -> bool:
    """Whether a model is a stage that is not trained, behind a gate."""
    return night.recipe.learner is not None and name in branches.skipped(night)


def made_from(night: Night, name: str) -> list[Manifest]:
    """What a model was made by: a stage's training, or nothing."""
    return stages.made_from(night, name) if is_stage(night.recipe, name) else []


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    recipe, section = night.recipe, night.recipe.arena
    assert section is not None
    # Not the seed of the questions phase: a teacher would write again what was taught.
    seed, name = seed_of("arena", recipe.seed), chunk.part
    prompt, sampling = prompt_of(recipe, name, "questions"), sampling_of(recipe, name, "questions")
    count, shows = _counter(night, section), "$example" in prompt.user

    def ask_of(row: tuple[str, str]) -> Ask:
        shown = "\n".join(_example(*row, seed=seed)) if shows else ""
        return questions.ask(*row, teacher=name, seed=seed, prompt=prompt, sampling=sampling, example=shown)

    def read(row: tuple[str, str], reply: Reply) -> list[Challenge]:
        written = questions.read(reply, topic=row[0], teacher=name)
        if isinstance(written, Dropped):
            return [rule.refused(written, name)]
        found = school.check(written.topic, written.question, written.right, written.distractors)
        question = pool.letter(written, found.status, found.right, seed).model_copy(update={"id": written.id})
        rules = section.contest.files["questions"] if section.contest else None
        example = _example(*row, seed=seed)[0] if shows else ""
        return [
            rule.challenge(
                written, question, example=example, rules=rules, count=count, votes=section.truth == "committee"
            )
        ]

    mine = split(list(_wanted(night, section)), section.chunk_rows)[chunk.index]
    # A reply that is no question is measured, and not asked anew.
    return ask_each(night, chunk, served[name], mine, ask_of=ask_of, flaw=None, read=read, topic_of=lambda row: row[0])


def _wanted(night: Night, section: Arena) -> list[tuple[str, str]]:
    return list(questions.row_ids(night.recipe.topics, section.per_topic))


def _counter(night: Night, section: Arena) -> Count | None:
    """Tokens by the student's tokenizer, where the contest counts them."""
    student = night.recipe.student
    if section.contest is None or student is None or not section.contest.files["questions"].tokens:
        return None
    return night.once("tokens of challenges", partial(counter, night.model_path(student)))


@cache
def _example(topic: str, row_id: str, *, seed: int) -> tuple[str, str]:
    """A question of the school, and its choices as they are put to whoever answers."""
    rng = rng_of("arena example", seed, row_id)
    puzzle = rng.choice(school.generate(topic, _EXAMPLES, seed=seed))
    choices = [puzzle.right, *puzzle.distractors]
    rng.shuffle(choices)
    return puzzle.question, "\n".join(f"{letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False))


STEP = Step("challenges", chunks, make, at_once=lambda night: getattr(night.recipe.arena, "chunks_in_flight", 1))
