"""What is done to nights: kills, torn and flipped bytes, failing rows, changed prompts, a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from flows.drill.place import Place, kill, prefect_of
from nightschool.errors import WorldError
from nightschool.recipe.recipe import Recipe
from tasks.steps import STEPS

_TORN_BYTES = 20
# Longest that a night may take to end after SIGTERM: what a spot machine gives at least.
_GRACE_S = 25.0

Process = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Scene:
    """One way to suffer.

    `start` is "empty" for a night that is disturbed half way through its answers, "whole" for one that is finished.
    `harm` is done to the place and, unless the night is whole, to its running process; it gives the number of replies
    that it took away. `change` is made to the recipe before the night goes on. `failing` is the share of rows that
    fail on every attempt until the night goes on. `remade`: the report must say that a chunk was damaged and made anew.
    `free`: although it is done to a running night, nothing may be paid for twice.
    """

    name: str
    start: str = "empty"
    harm: Callable[[Place, Process | None], int] | None = None
    change: Callable[[Recipe], Recipe] | None = None
    failing: float = 0.0
    remade: bool = False
    free: bool = False


def change_prompt(recipe: Recipe) -> Recipe:
    """Another system prompt for the answers."""
    prompt = recipe.answers.prompt
    system = f"{prompt.system}\n\nAnswer with care." if prompt.system else "Answer with care."
    answers = recipe.answers.model_copy(update={"prompt": prompt.model_copy(update={"system": system})})
    return recipe.model_copy(update={"answers": answers})


def with_faults(recipe: Recipe, share: float) -> Recipe:
    """The same share of rows fails with status 500 on each attempt; none if it is 0."""
    faults = {"faults": {"status_500": share} if share else {}, "fault_by": "row"}
    teachers = tuple(
        teacher.model_copy(update={"script": teacher.script.model_copy(update=faults)}) if teacher.script else teacher
        for teacher in recipe.teachers
    )
    return recipe.model_copy(update={"teachers": teachers})


def _kill(place: Place, process: Process | None) -> int:
    if process is not None and (left := kill(process)):
        raise WorldError(f"{left} processes of the killed night went on")
    return 0


def _tear(place: Place, process: Process | None) -> int:
    """Kill, then cut the end off every journal of an unfinished chunk."""
    _kill(place, process)
    torn = [path for path in _journals(place, whole=False) if path.stat().st_size > _TORN_BYTES]
    for path in torn:
        os.truncate(path, path.stat().st_size - _TORN_BYTES)
    return len(torn)


def _flip(place: Place, process: Process | None) -> int:
    """Flip one bit in the middle of the rows of the first finished chunk of answers."""
    chunk, manifest = place.night().made(STEPS["answers"].chunks(place.night()))[0]
    folder = place.night().store.folder(chunk)
    names = [name for name in manifest.files if "journal" not in name]
    path = max((folder / name for name in names), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    return 0


def _terminate(place: Place, process: Process | None) -> int:
    if process is not None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            kill(process)
            raise WorldError(f"goes on {_GRACE_S:.0f} s after SIGTERM") from None
    return 0


def _kill_server(place: Place, process: Process | None) -> int:
    """kill -9 for the first teacher's model server; the night has to bring it back or to end in order."""
    server = place.server(place.recipe.teachers[0].name)
    if server is None:
        raise WorldError("the model server was not found")
    server.kill()
    return _end(place, process)


def _kill_prefect(place: Place, process: Process | None) -> int:
    server = prefect_of(process) if process is not None else None
    if server is None:
        raise WorldError("the Prefect server was not found")
    server.kill()
    return _end(place, process)


def _fill_disk(place: Place, process: Process | None) -> int:
    """No file of the night may grow any more: works for any user, and as suddenly as a full disk.

    The kernel answers every write with EFBIG in place of ENOSPC: both reach Python as the same OSError.
    """
    if process is not None:
        _, hard = psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE)
        psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    return _end(place, process)


def _second(place: Place, process: Process | None) -> int:
    """Another night of the same recipe goes to work on the same store; both come to their end."""
    second = place.start("run", str(place.folder / "recipe.yaml"), "--name", "second")
    _end(place, process)
    place.finish(second, 0, 1)
    return 0


def _end(place: Place, process: Process | None) -> int:
    if process is not None:
        place.finish(process)
    return 0


def _journals(place: Place, *, whole: bool) -> list[Path]:
    """Journals of chunks that are finished, or of those that are not."""
    night = place.night()
    chunks = [chunk for step in STEPS.values() for chunk in step.chunks(night)]
    made = {chunk for chunk, _ in night.made(chunks)}
    folders = {(night.store.folder(chunk), chunk.stem) for chunk in chunks if (chunk in made) == whole}
    return [path for folder, stem in folders for path in folder.glob(f"{stem}*journal*") if path.is_file()]


KILLED = Scene("kill -9 in mid-chunk", harm=_kill)

SCENES = (
    KILLED,
    Scene("torn last line", harm=_tear),
    Scene("10% of rows fail, then healed", failing=0.1, change=lambda recipe: with_faults(recipe, 0.0)),
    Scene("system prompt changed after the run", start="whole", change=change_prompt),
    Scene("system prompt changed in mid-run", harm=_kill, change=change_prompt),
    Scene("model server killed", harm=_kill_server),
    Scene("disk full", harm=_fill_disk),
    Scene("flipped bit in a finished chunk", start="whole", harm=_flip, remade=True),
    Scene("SIGTERM", harm=_terminate, free=True),
    Scene("Prefect's server killed", harm=_kill_prefect, free=True),
    Scene("two nights at once", harm=_second, free=True),
)
