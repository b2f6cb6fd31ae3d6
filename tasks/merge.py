"""The merge: a chunk for each run of questions, with every teacher's solutions to them."""

from __future__ import annotations

from collections.abc import Collection

from blocks.equivalence import judge
from nightschool import marking, merge
from nightschool.chunks import Chunk
from nightschool.lines import question_line, solutions_line
from nightschool.tallies import classes, tallies
from tasks import answers, pool
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply != "text":
        return []
    asked = [manifest for _, manifest in night.made(pool.chunks(night))]
    whole = night.made(answers.chunks(night))
    rows = {chunk.index: chunk.rows for chunk in answers.chunks(night)}
    return [
        night.chunk(
            "merge",
            index,
            index,
            f"merge chunk {index + 1}/{len(rows)}",
            rows=count,
            after=[*asked, *(manifest for chunk, manifest in whole if chunk.index == index)],
        )
        for index, count in rows.items()
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.answers
    questions = night.read_run(pool.chunks(night), question_line, section.chunk_rows, chunk.index)
    solved = [one for one in answers.chunks(night) if one.index == chunk.index]
    matched = merge.merge(questions, night.read(solved, solutions_line))
    if section.value == "none":
        return Made([marking.unread(one).line for one in matched])
    rows = list(marking.mark(matched, section.value, fallback=section.fallback, compare=compare))
    counts = {teacher: tally.model_dump() for teacher, tally in tallies(rows).items()}
    return Made([row.line for row in rows], figures={"marks": counts, "classes": classes(rows)})


def compare(pairs: Collection[marking.Pair]) -> dict[marking.Pair, bool | None]:
    """Whether the two expressions of each pair are equal; None for what could not be judged."""
    verdicts = judge().rule(pairs)
    return {pair: verdict == "same" if verdict in ("same", "different") else None for pair, verdict in verdicts.items()}


STEP = Step("merge", chunks, make)
