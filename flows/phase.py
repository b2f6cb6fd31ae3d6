"""One phase of the night as a Prefect subflow: its chunks side by side, its failures decided on together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import cast

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from blocks.fleet import names
from flows.artifacts import left_out_artifact, lost_artifact, progress_artifact, summary_artifact
from flows.dispatch import Future, dispatch
from flows.runners import Hands, hands, place_of
from nightschool.chunks import Chunk
from nightschool.errors import DataError, RecipeError, Stopped, WorldError
from nightschool.gaps import allowed_rows
from nightschool.wire import Endpoint
from tasks import crew, progress
from tasks.apart import Account, take
from tasks.chunk import SKIPPED, make_chunk
from tasks.failures import failed_rows, mend
from tasks.ledger import Failure, Ledger
from tasks.making import stopping
from tasks.night import Night
from tasks.pace import Meter
from tasks.serving import Desk
from tasks.step import Step


def run_phase(night: Night, ledger: Ledger, step: Step, desk: Desk | None = None) -> None:
    """Makes what is missing of a phase; starts the desk's servers only if something is.

    Raises:
        RecipeError, DataError: a chunk says that a person must change something.
        Stopped: the night was told to end.
        WorldError: more chunks failed, or more rows have no reply, than the recipe allows.
    """
    chunks = step.chunks(night)
    if not chunks:
        return
    ledger.damaged([f"{chunk.label}: {harm}" for chunk in chunks if (harm := night.store.damage(chunk))])
    counts, states = _run_batches(night, step, chunks, desk if step.asks(night) else None)
    gaps = _gaps(night, chunks, states)
    counts.finish(gaps.told, gaps=bool(gaps.told))
    error = _verdict(night, states, gaps)
    ledger.phase(
        step.phase,
        seconds=counts.seconds,
        chunks=len(chunks),
        cached=sum(state.name == "Cached" for state in states),
        failures=gaps.failures,
        failed_rows=gaps.rows,
        lead_s=_lead_s(night, chunks, states),
        stopped=error is not None,
    )
    if error:
        raise error


def _lead_s(night: Night, chunks: Sequence[Chunk], states: Sequence[State]) -> float:
    """Seconds that the trainings of this run spent before their first step and after their last."""
    fresh = {chunk.ordinal for chunk, state in zip(chunks, states, strict=True) if state.name != "Cached"}
    found = [manifest.figures for chunk, manifest in night.made(chunks) if chunk.ordinal in fresh]
    return sum(one["seconds"] - one["training"]["seconds"] for one in found if "training" in one)


def _run_batches(
    night: Night, step: Step, chunks: Sequence[Chunk], desk: Desk | None
) -> tuple[progress.Tracker, list[State]]:
    """The phase's count and the final state of every chunk, in order; a subflow for all that are served together."""
    counts: progress.Tracker | None = None
    states: dict[int, State] = {}
    for batch in desk.batches(chunks) if desk else [chunks]:
        with counts.paused() if counts else nullcontext():
            missing = len(batch) - len(night.made(batch))
            served = _serve(night, desk, batch) if missing and desk else {}
        counts = counts or progress.track(step.phase, chunks, meter=Meter(crew.replicas, names) if desk else None)
        states |= zip([chunk.ordinal for chunk in batch], _subflow(night, step, batch, served), strict=True)
    return counts or progress.tracker(step.phase), [states[chunk.ordinal] for chunk in chunks]


def _serve(night: Night, desk: Desk, batch: Sequence[Chunk]) -> Mapping[str, Endpoint]:
    """The desk's servers, up; a subflow of its own, so that their start is seen and timed in the UI."""
    found: dict[str, Endpoint] = {}
    names = desk.names(batch)

    @flow(name="serve", flow_run_name=f"serve of {night.name}: {names}")
    def serve() -> State:
        found.update(desk.served(batch))
        return Completed(message=f"{names} answer")

    serve()
    return found


def _subflow(night: Night, step: Step, chunks: Sequence[Chunk], served: Mapping[str, Endpoint]) -> list[State]:
    """The final state of every chunk, in order; the subflow itself fails when too many did."""
    counts = progress.tracker(step.phase)
    states: dict[int, State] = {}
    who = hands(night, step, chunks, served)

    def run() -> State:
        how_many = night.recipe.serve.client_processes
        with progress_artifact(step.phase), crew.crew(how_many, served, night.dir), crew.drained():
            ended = dispatch(
                chunks,
                lambda chunk: _submit(night, chunk, who),
                at_once=who.at_once,
                elsewhere=night.store.is_held,
            )
            for place, state in ended:
                states[place] = state
                if state.name != SKIPPED:
                    _counted(counts, state, who)
        summary_artifact(night, step.phase, chunks)
        lost_artifact(night, step.phase, chunks)
        if step.phase == "dpo":
            left_out_artifact(night, chunks)
        gaps = _gaps(night, chunks, [states[place] for place in range(len(chunks))])
        if gaps.too_many:
            return Failed(name=f"Failed: {gaps.over}", message=gaps.too_many)
        if skipped := sum(state.name == SKIPPED for state in states.values()):
            return Completed(name=SKIPPED, message=f"{skipped} of {len(chunks)} chunks are left for another evening")
        return Completed(name="CompletedWithGaps", message=gaps.told) if gaps.told else Completed(message="complete")

    _at_hand[:] = [run]
    named = f"{step.phase} of {night.name}"
    phase.with_options(name=step.phase, flow_run_name=named, task_runner=who.runner)(return_state=True)
    return [states[place] for place in range(len(chunks))]


def _submit(night: Night, chunk: Chunk, who: Hands) -> Future:
    late = who.apart and stopping()
    made_for = place_of(night), night.name, night.stamp
    return make_chunk.submit(*made_for, chunk, who.served, apart=who.apart, late=late)


def _counted(counts: progress.Tracker, state: State, who: Hands) -> None:
    """A chunk has ended, and what another process did for it is known."""
    if who.apart and state.is_completed():
        take(cast(Account, state.result()))
    counts.chunk(_outcome(state))


_at_hand: list[Callable[[], State]] = []


def _run_at_hand() -> State:
    return _at_hand[0]()


@flow
def phase() -> State:
    """Runs what is at hand: Prefect sends a flow along with every task to another process, so it holds nothing."""
    return _run_at_hand()


@dataclass(frozen=True, slots=True)
class _Gaps:
    """What a phase lacks: chunks that failed, rows without a reply; in words, and if it is more than it may be.

    `over`: by how much, as short as the name of a state.
    """

    phase: str
    failures: list[Failure]
    rows: int
    told: str
    too_many: str
    over: str


def _gaps(night: Night, chunks: Sequence[Chunk], states: Sequence[State]) -> _Gaps:
    failures = [
        Failure(phase=chunk.phase, chunk=chunk.ordinal, label=chunk.label, error=_error(state))
        for chunk, state in zip(chunks, states, strict=True)
        if not state.is_completed()
    ]
    rows = failed_rows([manifest for _, manifest in night.made(chunks)])
    total = sum(chunk.rows for chunk in chunks)
    allowed, most = night.recipe.max_failed_chunks, allowed_rows(night.recipe.max_failed_rows, total)
    told = [f"{len(failures)} of {len(chunks)} chunks failed"] if failures else []
    told += [f"{rows:,} of {total:,} rows have no reply"] if rows else []
    too_many = [f"{told[0]}; {allowed} may (max_failed_chunks)"] if len(failures) > allowed else []
    too_many += [f"{told[-1]}; {most:,} may be missing (max_failed_rows)"] if rows > most else []
    beyond = {"chunk": len(failures) - allowed, "row": rows - most}
    over = ", ".join(f"{count:,} {what}{'s' * (count > 1)} over budget" for what, count in beyond.items() if count > 0)
    return _Gaps(chunks[0].phase, failures, rows, ", ".join(told), "; ".join(too_many), over)


def _outcome(state: State) -> str:
    return "failed" if not state.is_completed() else "cached" if state.name == "Cached" else "made"


def _error(state: State) -> str:
    error = state.result(raise_on_failure=False)
    return f"{error}" if isinstance(error, BaseException) else state.message or state.name or "failed"


def _verdict(night: Night, states: Sequence[State], gaps: _Gaps) -> Exception | None:
    """What ends the night here, if anything does; says how to mend it."""
    errors = [state.result(raise_on_failure=False) for state in states if not state.is_completed()]
    for error in errors:
        if isinstance(error, (RecipeError, DataError, Stopped)):
            return error
    if not gaps.too_many:
        return Stopped() if any(state.name == SKIPPED for state in states) else None
    lines = [f"{gaps.phase}: {gaps.too_many}."]
    if gaps.failures:
        first = gaps.failures[0]
        redo = f"nightschool rerun {night.name} --phase {gaps.phase} --chunk {first.chunk}{night.flags}"
        lines += [f"First: {first.label}: {first.error}", f"Redo what failed: nightschool run, or {redo}"]
    if gaps.rows:
        lines += [f"Which and why: nightschool failures {night.name} --phase {gaps.phase}{night.where}"]
        lines += [f"Ask for them again: {mend(night, gaps.phase)}"]
    return WorldError("\n".join(lines))
