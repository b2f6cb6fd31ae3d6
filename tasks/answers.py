"""One chunk of answers: a run of questions, put to one teacher."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from nightschool import answers
from nightschool.chunks import Chunk, split
from nightschool.records import Question
from nightschool.seeds import seed_of
from nightschool.wire import Ask, Reply
from tasks import pool
from tasks.asking import ask_each
from tasks.layout import laid
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    after = [manifest for _, manifest in night.made(pool.chunks(night))]
    asked = split(range(sum(manifest.rows for manifest in after)), night.recipe.answers.chunk_rows)
    names = [teacher.name for teacher in night.recipe.teachers]
    return laid(night, "answers", dict.fromkeys(names, asked), "by", dict.fromkeys(names, after))


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.answers
    open_ended = section.reply == "text"
    confidence = night.recipe.committee.confidence
    stated = confidence == "stated"
    questions = night.run_of(pool.chunks(night), Question, section.chunk_rows, chunk.index)
    letters = max((len(question.choices) for question in questions), default=0)
    # Made once: for each row it took an eighth of the chunk's time.
    sampling = section.sampling.model_copy(update={"logprobs": confidence == "logprobs"})

    def ask_of(question: Question) -> Ask:
        seed = seed_of("answers", night.recipe.seed, chunk.part, question.id)
        if open_ended:
            return answers.ask_open(question, prompt=section.prompt, sampling=sampling, seed=seed)
        return answers.ask(
            question, row_id=question.id, prompt=section.prompt, sampling=sampling, seed=seed, stated=stated
        )

    def read(question: Question, reply: Reply) -> Sequence[BaseModel]:
        if sampling.logprobs:
            answers.check_logprobs(reply, teacher=chunk.part)
        if open_ended:
            return [answers.read_open(reply, teacher=chunk.part, question=question)]
        return [answers.read(reply, teacher=chunk.part, question=question, stated=stated)]

    return ask_each(
        night,
        chunk,
        served[chunk.part],
        questions,
        ask_of=ask_of,
        flaw=answers.flaw_open if open_ended else answers.flaw(letters, stated=stated),
        read=read,
        topic_of=lambda question: question.topic,
    )


STEP = Step("answers", chunks, make, at_once=lambda night: night.recipe.answers.chunks_in_flight)
