"""What the Prefect UI shows: what a night uses again, a phase's progress, and its chunks when it is done."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import cast
from uuid import UUID

from flows.pages import links
from flows.showing import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from nightschool.chunks import Chunk
from nightschool.report.text import visible
from tasks import progress, stages
from tasks.failures import of_chunk
from tasks.lessons import left_out
from tasks.night import Night
from tasks.pace import Pace, describe_pace, shown
from tasks.progress import Event
from tasks.reuse import Verdict

_EVERY_S = 2.0
_MOST_LINES = 100
_MOST_DETAIL = 200
_MOST_PAIRS = 1000  # Prefect keeps an artifact in one row of its database


@contextmanager
def progress_artifact(phase: str) -> Iterator[None]:
    """Keeps a progress artifact of the phase current, at most every two seconds, from a thread of its own."""
    key = f"progress-{phase}"
    artifact = cast(UUID, create_progress_artifact(progress=0.0, key=key, description=f"{phase}: begins"))
    latest: list[Event] = []
    over = threading.Event()

    def hear(event: Event) -> None:
        if event.phase == phase:
            latest[:] = [event]

    def show() -> None:
        while not over.wait(_EVERY_S):
            if latest:
                update_progress_artifact(artifact, progress=_share(latest[0]), description=describe(latest[0]))

    thread = threading.Thread(target=show, name=f"artifact {phase}", daemon=True)
    with progress.listening(hear):
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
    update_progress_artifact(artifact, progress=100.0, description=f"{phase}: done")


def describe(event: Event) -> str:
    """An event in one line, for people; below it a table of the servers that are asked, if any are."""
    parts = [f"{event.phase}: {event.done}/{event.total}" if event.total else event.phase]
    parts.append(f"chunks {event.chunks_done}/{event.chunks_total}")
    parts.extend(f"{count} {name}" for name, count in (("cached", event.cached), ("failed", event.failed)) if count)
    parts.extend([f"about {event.eta_s:.0f} s to go"] if event.eta_s else [])
    parts.extend([f"{event.reused} reused"] if event.reused else [])
    parts.extend([describe_pace(event.pace, event.queued)] if event.pace else [])
    text = ", ".join([*parts, event.note] if event.note else parts)
    return f"{text}\n\n{_servers(event.pace)}" if event.pace else text


def _servers(pace: Pace) -> str:
    heads = ("server", "req/s", "tok/s", "in flight", "from cache", "retries", "given up", "state")
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for one in pace.servers:
        rates = shown(one.requests_s), shown(one.tokens_s), f"{one.in_flight}/{one.limit}", one.hits or "-"
        lines.append(f"| {' | '.join((one.server, *rates, f'{one.retries}', f'{one.failures}', one.state))} |")
    return "\n".join(lines)


def links_artifact(night: Night) -> None:
    """Where a person finds the night's report, its chunks as they stand, its recipe and its logs."""
    create_markdown_artifact(
        links(night), key="where-to-look", description=f"Report, chunks, recipe, logs of {night.name}"
    )


def reuse_artifact(verdicts: Sequence[Verdict]) -> None:
    """A table of what the night uses again, makes, and makes anew because of what."""
    rows = [
        {"phase": one.phase, "verdict": one.word, "chunks": one.counted, "because": one.because} for one in verdicts
    ]
    create_table_artifact(table=rows, key="reuse", description="What is used again, and what is made")


def summary_artifact(night: Night, phase: str, chunks: Sequence[Chunk]) -> None:
    """A table of the phase's chunks: rows kept and dropped by reason."""
    made = {chunk.ordinal: manifest for chunk, manifest in night.made(chunks)}
    lines = ["| chunk | what | kept | dropped |", "|---|---|---|---|"]
    for chunk in chunks[:_MOST_LINES]:
        manifest = made.get(chunk.ordinal)
        if manifest is None:
            redo = f"`nightschool rerun {night.name} --phase {phase} --chunk {chunk.ordinal}{night.flags}`"
            lines.append(f"| {chunk.ordinal} | {chunk.label} | **not made** | redo: {redo} |")
            continue
        dropped = ", ".join(f"{count} {reason}" for reason, count in sorted(manifest.dropped.items()))
        lines.append(f"| {chunk.ordinal} | {chunk.label} | {manifest.rows} | {dropped or '-'} |")
    if len(chunks) > _MOST_LINES:
        lines.append(f"\n{len(chunks) - _MOST_LINES} more chunks: `nightschool status {night.name}{night.where}`")
    create_markdown_artifact("\n".join(lines), key=f"chunks-{phase}", description=f"{phase}: its chunks")


def lost_artifact(night: Night, phase: str, chunks: Sequence[Chunk]) -> None:
    """A table of the first rows that did not make it through the phase, each with its reason; none if all did."""
    dropping = ((chunk, manifest) for chunk, manifest in night.made(chunks) if manifest.dropped)
    lost = (loss for chunk, manifest in dropping for loss in of_chunk(night, chunk, manifest))
    rows = [
        {
            "row": one.id,
            "chunk": one.chunk,
            "topic": one.topic,
            "reason": one.reason,
            "no reply": "asked in vain, may be asked again" if one.failed else "",
            "detail": visible(one.detail)[:_MOST_DETAIL].replace("](", "] ("),  # no link of a model's making
        }
        for one in islice(lost, _MOST_LINES)
    ]
    if rows:
        more = f"; all: nightschool failures {night.name} --phase {phase}{night.where}"
        create_table_artifact(table=rows, key=f"lost-{phase}", description=f"{phase}: rows that did not make it{more}")


def left_out_artifact(night: Night, chunks: Sequence[Chunk]) -> None:
    """For each dpo stage that left pairs out of its loss, a table of them."""
    for chunk, _ in night.made(chunks):
        if rows := [pair.model_dump() for pair in left_out(night, stages.learner(night).stage(chunk.part))]:
            described = f"Pairs of {chunk.part} at weight zero, the most doubted first"
            create_table_artifact(table=rows[:_MOST_PAIRS], key=f"left-out-{_key(chunk.part)}", description=described)


def _key(name: str) -> str:
    """Prefect's keys have small letters, digits and dashes."""
    return re.sub("[^a-z0-9]+", "-", name).strip("-")


def _share(event: Event) -> float:
    return min(99.0, 100.0 * event.done / event.total) if event.total else 0.0
