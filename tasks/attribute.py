"""How much of a stage's answers lies on the draft: integrated gradients, in a process of their own."""

from __future__ import annotations

import sys
import time
from functools import partial

from blocks.disk import write_whole
from blocks.process import run_guarded
from nightschool import answers, teaching
from nightschool.chunks import Chunk
from nightschool.drafts import draft_id
from nightschool.errors import DataError
from nightschool.prompts import Prompt
from nightschool.records import LETTERS, Question
from nightschool.seeds import drawn
from nightschool.training.attribute_job import MARK, Attributed, AttributeJob, AttributeRow
from nightschool.validate import truth_of
from tasks import ablate, branches, drafts, held_out, progress, stages
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section, learner = night.recipe.ablate, night.recipe.learner
    if section is None or section.attribution is None or learner is None:
        return []
    left_out = branches.skipped(night)
    names = [name for name in section.of(learner.stages, learner.measured) if name not in left_out]
    return [
        night.chunk(f"attribute/{name}", 0, place, f"attribution of {name}", rows=2 * section.attribution.questions,
                    after=stages.asked_with(night, name))
        for place, name in enumerate(names)
    ]  # fmt: skip


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.ablate.attribution if night.recipe.ablate else None
    assert section is not None
    began, found = time.monotonic(), list[Attributed]()
    night.store.folder(chunk).mkdir(parents=True, exist_ok=True)
    at, file = night.store.path(chunk, "job.json"), night.store.path(chunk, "asked.jsonl")
    asked = rows(night, chunk.part)
    if not asked:
        raise DataError(f"{chunk.part}: no held-out question has a draft whose share could be told")
    write_whole(file, b"".join(row.model_dump_json().encode() + b"\n" for row in asked))
    lies = stages.weights(night, chunk.part)
    job = AttributeJob(
        model=lies.model,
        adapter=str(lies.adapter) if lies.adapter else None,
        rows=str(file),
        most_steps=section.most_steps,
        threads=section.threads,
    )
    write_whole(at, job.model_dump_json(indent=1).encode())
    counts = progress.tracker(chunk.phase)
    counts.say("loading torch and the model")

    def heard(line: dict[str, object]) -> None:
        found.append(Attributed.model_validate(line))
        counts.steps(chunk.phase, len(found), len(asked), f"{chunk.part}, {len(found)}/{len(asked)} rows")

    command = [sys.executable, "-P", "-m", "nightschool.training.attribution", str(at)]
    run_guarded(command, log=night.store.path(chunk, "log"), on_line=heard, known_in=night.servers)
    return Made(rows=found, figures={"seconds": time.monotonic() - began})


def rows(night: Night, name: str) -> list[AttributeRow]:
    """Held-out questions, as many as the recipe wants, each with its own draft and with another's."""
    learner, section = stages.learner(night), night.recipe.ablate
    assert section is not None
    assert section.attribution is not None
    texts = drafts.texts_of(night, learner.draft_of(name))
    asked = {one.id: one for one, _ in held_out.rows(night, learner.validate.side) if texts.get(draft_id(one))}
    wanted = drawn(asked, section.attribution.questions, "attribution", night.recipe.seed)
    row = partial(_row, night, learner.prompt(name))
    shuffled = ablate.instead(night, name, "shuffled")
    found: list[AttributeRow] = []
    for question in (one for one in asked.values() if one.id in wanted):
        known = draft_id(question)
        found.append(row(question).model_copy(update={"draft": texts[known]}))
        found.append(row(question).model_copy(update={"draft": shuffled.get(known, ""), "of": "shuffled"}))
    return found


def _row(night: Night, prompt: Prompt, question: Question) -> AttributeRow:
    """A question with a mark for its draft, and every answer outright, the true one first."""
    section = night.recipe.answers
    letters, truth = section.reply == "letter", question.key or truth_of(question, section.kind)
    options = LETTERS[: len(question.choices)] if section.kind == "letter" or letters else ("yes", "no")
    ordered = [str(truth), *(one for one in options if one != truth)]
    said = [teaching.taught("", one, section.kind, form="answer", letters=letters) for one in ordered]
    asked = answers.messages(question, prompt, MARK)
    return AttributeRow(id=question.id, of="own", prompt=asked, draft="", answers=tuple(said))


STEP = Step("attribute", chunks, make, asks=lambda night: False, here=True)
