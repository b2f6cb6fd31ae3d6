"""One chunk of pairs: the student samples its own answers, wrong ones are set against right ones."""

from __future__ import annotations

from nightschool import answers, pairs
from nightschool.chunks import Chunk, split
from nightschool.records import Dropped, Letter, PreferenceRow, Ruling
from nightschool.seeds import seed_of
from nightschool.wire import Reply, Sampling
from tasks import balance, sft
from tasks.asking import ask
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    section = night.recipe.pairs
    if section is None:
        return []
    after = [manifest for _, manifest in night.made([*balance.chunks(night), *sft.chunks(night)])]
    parts = split(night.rows(balance.chunks(night), Ruling), section.chunk_rows)
    return [
        night.chunk("pairs", index, index, f"pairs chunk {index + 1}/{len(parts)}", rows=len(rows), after=after)
        for index, rows in enumerate(parts)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.pairs
    assert section is not None
    sampling = Sampling(
        temperature=section.temperature,
        top_p=section.top_p,
        max_tokens=section.max_tokens,
        samples=section.samples,
    )
    mine = split(night.rows(balance.chunks(night), Ruling), section.chunk_rows)[chunk.index]
    asks = [
        answers.ask(
            ruling.question,
            row_id=ruling.id,
            prompt=night.recipe.student.prompt,
            sampling=sampling,
            seed=seed_of("pairs", night.recipe.seed, ruling.id),
        )
        for ruling in mine
    ]
    asked = ask(night, chunk, served["sft"], asks)
    made: list[PreferenceRow] = []
    dropped: list[Dropped] = list(asked.failed)
    for ruling in mine:
        if ruling.id not in asked.replies:
            continue
        found = _pairs(night, ruling, asked.replies[ruling.id])
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            made.extend(found)
    return Made(
        rows=made,
        dropped=[(row.reason, row) for row in dropped],
        figures=asked.figures,
        files=[night.store.path(chunk, "journal.jsonl")],
    )


def _pairs(night: Night, ruling: Ruling, reply: Reply) -> list[PreferenceRow] | Dropped:
    section = night.recipe.pairs
    assert section is not None
    assert ruling.letter is not None
    samples: list[tuple[str, Letter | None]] = [(choice.text, answers.cast(choice).letter) for choice in reply.choices]
    return pairs.build(
        ruling.id,
        topic=ruling.question.topic,
        prompt=answers.messages(ruling.question, night.recipe.student.prompt),
        samples=samples,
        letter=ruling.letter,
        accepted=answers.completion(ruling.reasoning, ruling.letter),
        chosen=section.chosen,
        per_question=section.per_question,
        seed=night.recipe.seed,
    )


STEP = Step("pairs", chunks, make, at_once=lambda night: getattr(night.recipe.pairs, "chunks_in_flight", 1))
