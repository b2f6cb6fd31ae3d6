"""Which devices a night needs to itself, and in words whom it waits for."""

from __future__ import annotations

import os

from blocks.arrange import visible
from blocks.machine import gpus
from blocks.turns import Queue, Ticket, ticket
from nightschool.errors import NightError, RecipeError
from nightschool.recipe.models import want
from nightschool.recipe.order import Queue as Urgency
from nightschool.report.text import duration
from tasks.night import Night
from tasks.status import NightStatus, PhaseStatus, status

# Engines that compute on this machine; endpoints do it elsewhere, and scripted servers don't.
_REAL = ("transformers", "vllm")
AT_ONCE = "NIGHTSCHOOL_CPU_NIGHTS"


def wish(night: Night, queue: Urgency = "default") -> Ticket:
    """What a night wants to itself: its GPUs, or a place on this machine's CPU where there are none.

    A night that neither trains nor serves here wants nothing.

    Args:
        queue: of the run, where it has one of its own; the more urgent of both counts.

    Raises:
        RecipeError: NIGHTSCHOOL_CPU_NIGHTS is no number of nights.
    """
    names, count = _devices(night)
    urgent = "urgent" in (queue, night.recipe.order.queue)
    return ticket(night.name, night.store.place, night.dir, names, count=count, urgent=urgent)


def _devices(night: Night) -> tuple[list[str], int]:
    serving = [model for model in night.recipe.models if night.engines[model.name] in _REAL]
    if not serving and not night.recipe.learner:
        return [], 0
    if found := gpus():
        named = [want(model, night.recipe.serve).pool for model in serving]
        pools = [] if night.recipe.learner or None in named else [one for pool in named for one in pool or ()]
        names = [f"gpu-{index}" for index in (sorted({*pools}) or visible(found))] or _parts()
        return names, len(names)
    return [f"cpu-{place}" for place in range(_at_once())], 1


def _parts() -> list[str]:
    """Parts of devices (MIG), which have no numbers."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [name.strip().replace("/", "-") for name in named.split(",") if name.strip()]


def _at_once() -> int:
    given = os.environ.get(AT_ONCE, "1")
    if not given.isdigit() or int(given) < 1:
        message = "how many nights may share this machine's CPU?"
        raise RecipeError(message, field=AT_ONCE, value=given, allowed="1, 2, ...")
    return int(given)


def told(mine: Ticket, before: Queue) -> str:
    """Whom a night waits for, what they are at and how long that takes; in one line."""
    where = ", ".join(mine.devices).replace("cpu-0", "this machine's CPU")
    parts = [_told(one) for one in before.holders]
    if others := [one.night for one in before.ahead]:
        parts.append(f"before it in the queue: {', '.join(others)}")
    return f"waits for its turn at {where}: {'; '.join(parts) or 'it comes next'}"


def _told(holder: Ticket) -> str:
    try:
        found = status(Night.open(holder.place, holder.night))
    except NightError:
        return f"night {holder.night} runs"
    return f"night {holder.night} {at(found)}"


def at(found: NightStatus) -> str:
    """What a night is at, and how long that takes still where it can be known."""
    unfinished = [phase for phase in found.phases if any(chunk.state == "running" for chunk in phase.chunks)]
    if not unfinished:
        return "runs"
    phase = unfinished[-1]
    to_go = f", about {duration(max(1.0, round(phase.eta_s)))} to go there" if phase.eta_s else ""
    return f"is at {phase.phase}, {_made(phase)} of {len(phase.chunks)} chunks made{to_go}"


def _made(phase: PhaseStatus) -> int:
    return sum(chunk.state in ("made", "gaps") for chunk in phase.chunks)
