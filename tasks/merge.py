"""The merge: a chunk for each run of questions, with every teacher's solutions to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import TypeVar

import orjson

from blocks.equivalence import judge
from nightschool import marking, merge
from nightschool.chunks import Chunk
from nightschool.lines import SolutionsLine, asked_line, case_line, read_line, solutions_line
from nightschool.merge import Named
from nightschool.tallies import classes, tallies
from tasks import answers, pool
from tasks.night import Night
from tasks.step import Made, Served, Step

Q = TypeVar("Q", bound=Named)
T = TypeVar("T")


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
    kind = None if section.value == "none" else section.value
    questions = night.read_run(pool.chunks(night), asked_line, section.chunk_rows, chunk.index)
    read = partial(read_line, kind=kind, fallback=section.fallback)
    matched = merge.beside(questions, said(night, chunk.index, read))
    if kind is None:
        return Made([marking.unread(one).line for one in matched])
    rows = list(marking.mark(matched, kind, compare=compare))
    counts = {teacher: tally.model_dump() for teacher, tally in tallies(rows).items()}
    return Made([row.line for row in rows], figures={"marks": counts, "classes": classes(rows)})


def said(night: Night, index: int, parse: Callable[[bytes], T]) -> dict[str, Iterator[T]]:
    """What each teacher wrote on the questions of a merged chunk, as `parse` reads a line, in the chunk's order."""
    return {chunk.part: night.read([chunk], parse) for chunk in answers.chunks(night) if chunk.index == index}


def texts(night: Night, index: int, rows: Iterable[Q]) -> Iterator[tuple[Q, dict[str, SolutionsLine]]]:
    """Each of these rows beside what each teacher wrote on it; the rows are in the order of the merged chunk."""
    return merge.beside(rows, said(night, index, solutions_line))


def written_out(night: Night, chunk: Chunk) -> Iterator[bytes]:
    """A chunk's rows with the text of every solution in its place, for a person or another program."""
    rows = night.read([chunk], case_line)
    for (_, said), line in zip(texts(night, chunk.index, rows), night.store.lines(chunk), strict=True):
        whole = orjson.loads(line)
        for name, each in whole["solutions"].items():
            written = zip(said[name].texts, each, strict=True)
            whole["solutions"][name] = [{"text": text, **solution} for text, solution in written]
        yield orjson.dumps(whole) + b"\n"


def compare(pairs: Collection[marking.Pair]) -> dict[marking.Pair, bool | None]:
    """Whether the two expressions of each pair are equal; None for what could not be judged."""
    verdicts = judge().rule(pairs)
    return {pair: verdict == "same" if verdict in ("same", "different") else None for pair, verdict in verdicts.items()}


STEP = Step("merge", chunks, make)
