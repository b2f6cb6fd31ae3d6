"""One chunk of drafts: what the base or a stage first says on the questions that a later stage is asked with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from nightschool import drafts
from nightschool.chunks import Chunk, split
from nightschool.errors import RecipeError
from nightschool.records import Draft, Question
from nightschool.wire import Ask, Endpoint, Sampling
from tasks import branches, stages
from tasks.asking import Uncounted, ask, ask_each
from tasks.night import Night
from tasks.rendering import same_prompts
from tasks.step import Made, Served, Step

DraftOf = Callable[[Question], str | None]


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.learner is None:
        return []
    left_out = branches.skipped(night)
    names = {stage.draft_of for stage in stages.learner(night).stages if stage.draft_of and stage.name not in left_out}
    return [chunk for name in sorted(names) for chunk in stages.drafting(night, name)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner, name = stages.learner(night), chunk.part
    same_prompts(night, served[name], stages.rendered(night, name))
    return ask_each(
        night,
        chunk,
        served[name],
        split(stages.drafted(night, name), learner.validate.chunk_rows)[chunk.index],
        ask_of=asker(night, name),
        flaw=None,  # a draft is shown as it came
        read=lambda question, reply: [drafts.read(reply)],
        topic_of=lambda question: question.topic,
    )


def asker(night: Night, drafter: str) -> Callable[[Question], Ask]:
    """How the base or a stage is asked for a draft."""
    learner = stages.learner(night)
    student, letters = learner.student, night.recipe.answers.reply == "letter"
    return partial(
        drafts.ask,
        prompt=learner.prompt(drafter),
        sampling=Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens),
        seed=night.recipe.seed,
        letters=letters,
    )


def beside(served: Served, drafter: str, name: str) -> Endpoint:
    """Where a drafter is asked while a stage that is shown its drafts is asked as well.

    Raises:
        RecipeError: the two are not up together.
    """
    if drafter not in served:
        raise RecipeError(f"{name} is shown drafts of {drafter}, and the two have no room side by side",
                          field="serve.placement", allowed="side_by_side, or a smaller max_model_len")  # fmt: skip
    return served[drafter]


def fresh(
    night: Night, chunk: Chunk, served: Served, name: str, questions: Sequence[Question]
) -> tuple[DraftOf, Mapping[str, int]]:
    """Drafts of questions that came up only now, for a player that is shown them, and what they cost.

    Their replies lie in the journal of the chunk whose rows they are made for.

    Raises:
        RecipeError: the drafter is not up beside the stage.
        WorldError: its server is gone.
    """
    drafter = night.recipe.learner.draft_of(name) if night.recipe.learner else ""
    if not drafter:
        return lambda question: None, {}
    asks = {one.id: one for one in map(asker(night, drafter), questions)}
    asked = ask(night, chunk, beside(served, drafter, name), [*asks.values()], flaw=None, counts=Uncounted())
    texts = {row_id: drafts.read(reply).text for row_id, reply in asked.replies.items()}
    return lambda question: texts.get(drafts.draft_id(question)), asked.figures


def shown(night: Night, name: str) -> DraftOf:
    """What tells the draft that the base or a stage is shown beside a question.

    None where it is shown none, or the world gave no reply: the question is then asked without a word of a draft.
    """
    drafter = stages.learner(night).draft_of(name)
    if not drafter:
        return lambda question: None
    texts = texts_of(night, drafter)
    return lambda question: texts.get(drafts.draft_id(question))


def texts_of(night: Night, drafter: str) -> dict[str, str]:
    """All drafts of the base or a stage by the digests of their questions."""
    made = night.made(stages.drafting(night, drafter))
    known = f"drafts of {drafter} {' '.join(manifest.digest for _, manifest in made)}"
    return night.once(known, lambda: {row.id: row.text for chunk, _ in made for row in night.store.rows(chunk, Draft)})


STEP = Step("drafts", chunks, make, at_once=lambda night: getattr(night.recipe.validate_, "chunks_in_flight", 1))
