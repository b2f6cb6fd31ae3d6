"""The merge: a chunk for each run of questions, with every teacher's solutions to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import TypeVar

import orjson

from blocks.equivalence import judge
from nightschool import marking, merge
from nightschool.chunks import Chunk, Manifest
from nightschool.lines import SolutionsLine, asked_line, case_line, read_line, solutions_line
from nightschool.merge import Named
from nightschool.tallies import classes, tallies
from nightschool.values.kinds import Kind
from nightschool.values.read import equal
from tasks import answers, pool
from tasks.night import Night
from tasks.standing import beside
from tasks.step import Made, Served, Step

Q = TypeVar("Q", bound=Named)
T = TypeVar("T")


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.answers.reply != "text":
        return []
    asked = [manifest for _, manifest in night.made(pool.chunks(night))]
    said = answers.chunks(night)
    rows = {chunk.index: chunk.rows for chunk in said}
    whole: dict[int, list[Manifest]] = defaultdict(list)
    for chunk, manifest in night.made(said):
        whole[chunk.index].append(manifest)
    label = "merge chunk {}/{}".format
    return [
        night.chunk("merge", index, index, label(index + 1, len(rows)), rows=count, after=[*asked, *whole[index]])
        for index, count in rows.items()
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.answers
    kind = None if section.value == "none" else section.value
    questions = night.read_run(pool.chunks(night), asked_line, section.chunk_rows, chunk.index)
    read = partial(read_line, kind=kind, fallback=section.fallback)
    matched = merge.beside(questions, said(night, chunk, read))
    if kind is None:
        return Made([marking.unread(one).line for one in matched])
    rows = list(marking.mark(matched, kind, compare=compare, seed=night.recipe.seed))
    counts = {teacher: tally.model_dump() for teacher, tally in tallies(rows).items()}
    return Made([row.line for row in rows], figures={"marks": counts, "classes": classes(rows)})


def said(night: Night, chunk: Chunk, parse: Callable[[bytes], T]) -> dict[str, Iterator[T]]:
    """What each teacher wrote on a chunk's questions, as `parse` reads a line, in the chunk's order.

    Args:
        chunk: a merged one, or one of a later phase that has a chunk for each of these.
    """
    return {one.part: night.read([one], parse) for one in beside(night, chunk, answers.chunks)}


def texts(night: Night, chunk: Chunk, rows: Iterable[Q]) -> Iterator[tuple[Q, dict[str, SolutionsLine]]]:
    """Each row of a chunk, see `said`, with what each teacher wrote on it."""
    return merge.beside(rows, said(night, chunk, solutions_line))


def written_out(night: Night, chunk: Chunk) -> Iterator[bytes]:
    """A chunk's rows with the texts of all solutions, for a person or another program."""
    rows = night.read([chunk], case_line)
    for (_, said), line in zip(texts(night, chunk, rows), night.store.lines(chunk), strict=True):
        whole = orjson.loads(line)
        del whole["shown"]
        for name, each in whole["solutions"].items():
            each["texts"] = said[name].texts
        yield orjson.dumps(whole) + b"\n"


def compare(pairs: Collection[marking.Pair]) -> dict[marking.Pair, bool | None]:
    """Whether the two expressions of each pair are equal; None for what could not be judged."""
    verdicts = judge().rule(pairs)
    return {pair: verdict == "same" if verdict in ("same", "different") else None for pair, verdict in verdicts.items()}


def same(truth: str, found: str, kind: Kind) -> bool | None:
    """Whether two values of a kind are equal, by mathematics where nothing less tells; None if nobody can judge."""
    told = equal(truth, found, kind)
    return compare([(truth, found)])[truth, found] if told is None else told


STEP = Step("merge", chunks, make)
