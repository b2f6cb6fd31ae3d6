"""Whose turn it is at this machine's devices: one night holds them, others queue. Files and locks; no server.

A night that waits lies in `queue/` as a ticket, urgent ones first, each in the order of their coming; a device is a
file that the kernel locks for whoever holds it and frees on any death. What a holder that died left running is ended
by process id before the next one begins.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from blocks.disk import write_whole
from blocks.pid_file import ProcessId, identify, reap
from nightschool.errors import WorldError

VARIABLE = "NIGHTSCHOOL_TURNS"
OFF = "off"
LOOK_S = 1.0


class Ticket(BaseModel):
    """A night that waits for devices, or holds them: `count` of `devices` are enough for it.

    `place` is its store, `folder` where its servers' pid files lie, `since` seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    night: str
    place: str
    folder: str
    devices: tuple[str, ...]
    count: int
    urgent: bool
    process: ProcessId
    since: float

    @property
    def rank(self) -> tuple[bool, float, int]:
        return not self.urgent, self.since, self.process.pid


@dataclass(frozen=True, slots=True)
class Queue:
    """Who is before a night: those who hold what it wants, and those who wait and come first."""

    holders: tuple[Ticket, ...]
    ahead: tuple[Ticket, ...]


def ticket(
    night: str, place: str, folder: Path, devices: Sequence[str], *, count: int | None = None, urgent: bool = False
) -> Ticket:
    """A wish of this process for `count` of the devices, for all of them if it is left out."""
    return Ticket(
        night=night,
        place=place,
        folder=str(folder),
        devices=tuple(devices),
        count=len(devices) if count is None else count,
        urgent=urgent,
        process=identify(os.getpid()),
        since=time.time(),
    )


@contextmanager
def turn(mine: Ticket, waiting: Callable[[Queue], None]) -> Iterator[tuple[str, ...]]:
    """Waits for the devices, and holds them while inside; which they are.

    Args:
        waiting: is told about every second who is before it, if anybody is.

    Raises:
        WorldError: the folder of the locks cannot be used.
    """
    folder = folder_of_turns()
    if folder is None or not mine.count:
        yield ()
        return
    with ExitStack() as held:
        with _queued(folder, mine):
            while not (taken := _take(folder, mine, held)):
                waiting(queue(folder, mine))
                time.sleep(LOOK_S)
        try:
            yield taken
        finally:
            for name in taken:
                _holder_file(folder, name).unlink(missing_ok=True)


def folder_of_turns() -> Path | None:
    """Where the locks lie: what NIGHTSCHOOL_TURNS names, else a folder of this user's in the temporary one.

    None where the variable is `off`: then nights run side by side as they come.

    Raises:
        WorldError: it cannot be made, or is another user's.
    """
    named = os.environ.get(VARIABLE)
    if named == OFF:
        return None
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"nightschool-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "queue").mkdir(exist_ok=True)
        found = folder.lstat()
    except OSError as err:
        raise WorldError(f"no folder for whose turn it is at the devices: {err}; name one in {VARIABLE}") from None
    if not named and (found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode)):
        raise WorldError(f"{folder} is not ours: name another folder in {VARIABLE}")
    return folder


def queue(folder: Path, mine: Ticket) -> Queue:
    """Who is before this night, as it looks now."""
    holders = {one.night + one.folder: one for name in mine.devices if (one := holder(folder, name))}
    return Queue(tuple(holders.values()), tuple(_ahead(folder, mine)))


def holder(folder: Path, device: str) -> Ticket | None:
    """The night that holds a device, if its process lives."""
    found = _read(_holder_file(folder, device))
    return found if found and found.process.find() else None


def waiting_nights(folder: Path) -> list[Ticket]:
    """Those who wait, the next one first; tickets of processes that have ended are thrown away."""
    found: list[Ticket] = []
    for path in (folder / "queue").glob("*.json"):
        one = _read(path)
        if one and one.process.find():
            found.append(one)
        elif one:
            path.unlink(missing_ok=True)
    return sorted(found, key=lambda one: one.rank)


def waits(night: Path) -> bool:
    """Whether the night of this folder waits for its turn."""
    folder = folder_of_turns()
    return folder is not None and any(one.folder == str(night) for one in waiting_nights(folder))


def _ahead(folder: Path, mine: Ticket) -> list[Ticket]:
    """Who comes first of those that want any of the same."""
    before = (one for one in waiting_nights(folder) if one.rank < mine.rank and one.process != mine.process)
    return [one for one in before if set(one.devices) & set(mine.devices)]


@contextmanager
def _queued(folder: Path, mine: Ticket) -> Iterator[None]:
    path = folder / "queue" / f"{mine.since:.6f}-{mine.process.pid}.json"
    write_whole(path, mine.model_dump_json().encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(folder: Path, mine: Ticket, held: ExitStack) -> tuple[str, ...]:
    """As many of the devices as are wanted, or none."""
    if _ahead(folder, mine):
        return ()
    with ExitStack() as tried:
        taken: list[str] = []
        for name in mine.devices:
            if len(taken) < mine.count and _locked(tried, folder / f"{name}.lock"):
                taken.append(name)
        if len(taken) < mine.count:
            return ()
        for name in taken:
            if before := _read(_holder_file(folder, name)):
                servers = Path(before.folder) / "servers"
                for each in (servers, *(path for path in servers.glob("*") if path.is_dir())):
                    reap(each)
            write_whole(_holder_file(folder, name), mine.model_dump_json().encode())
        held.enter_context(tried.pop_all())
    return tuple(taken)


def _locked(tried: ExitStack, path: Path) -> bool:
    try:
        file: IO[str] = tried.enter_context(os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o660)))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as err:
        raise WorldError(f"no turn at a device: {err}; name a folder of your own in {VARIABLE}") from None
    return True


def _holder_file(folder: Path, device: str) -> Path:
    return folder / f"{device}.holder.json"


def _read(path: Path) -> Ticket | None:
    try:
        return Ticket.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
