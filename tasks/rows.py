"""The rows of a night for a person to look at, in order."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from blocks import journal
from nightschool.errors import RecipeError
from tasks import merge
from tasks.night import Night
from tasks.redo import chosen


def lines(
    night: Night, phase: str, chunk: int | None, *, dropped: bool = False, reason: str | None = None
) -> Iterator[bytes]:
    """Kept or dropped rows of a phase, or of one chunk of it, as JSON lines; chunks that are not whole have none.

    Merged rows come with the texts, which lie in the answers.

    Args:
        reason: only the rows that were dropped for this.

    Raises:
        RecipeError: the night has no such phase or chunk; names those that it has.
    """
    for one, _ in night.made(chosen(night, phase, chunk)):
        wanted = dropped or reason is not None
        merged = one.phase == "merge" and not wanted
        for line in merge.written_out(night, one) if merged else night.store.lines(one, dropped=wanted):
            if reason is None or orjson.loads(line)["reason"] == reason:
                yield line


def replies(night: Night, phase: str, chunk: int | None) -> Iterator[bytes]:
    """What models replied in a phase, or in one chunk of it, as it came: also while the chunk is being made.

    Each says whom it is from, the prompt by its key, seed, sampling, tokens, seconds, attempts and finish reasons.

    Raises:
        RecipeError: the night has no such phase or chunk.
    """
    for one in chosen(night, phase, chunk):
        found = journal.on_file(night.store.journal(one))
        for row_id in found:
            yield from (body + b"\n" for body in journal.good(found.lines(row_id)))


def disagreements(night: Night, phase: str, chunk: int | None) -> Iterator[bytes]:
    """The rulings whose votes are against the truth, accepted ones first, then those that were dropped.

    Raises:
        RecipeError: another phase than the committee, or a chunk that it has not.

    Source: plan 002, whose teacher disagreed with 31.5% of the truth, unseen until the student had got worse.
    """
    if phase != "committee":
        raise RecipeError("only the committee disagrees", field="--disagreements", value=phase, allowed="committee")
    for dropped in (False, True):
        for line in lines(night, phase, chunk, dropped=dropped):
            if orjson.loads(line)["vote_right"] is False:
                yield line
