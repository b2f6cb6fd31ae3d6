"""A lease on a name: where machines share no lock, one of them at a time may make a chunk.

A holder creates `00001.lease` (exclusively), beats by counting up `00001.beat`, and deletes both when it is done.
Whoever waits calls a holder dead after it has seen the same beat for `DEAD_AFTER_S` seconds of its own steady clock
(no two clocks are compared, and one that jumps takes no lease away), or at once if it was a process of this machine
and is gone: a night that was killed goes on without waiting for itself. Then it creates the next number. A lease saves
money; that no chunk is ever mixed is seen to by keys that are written once (see blocks/shared.py).
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ValidationError

from blocks.pid_file import ProcessId, identify
from blocks.remote import Remote
from nightschool.errors import WorldError

BEAT_S, DEAD_AFTER_S, LOOK_S = 5.0, 60.0, 1.0


class _Owner(BaseModel):
    """Who holds a lease; `where` is equal for processes that can see each other."""

    owner: str
    host: str
    where: str
    process: ProcessId


class Lease:
    """The right to make what a folder of the store is named after."""

    def __init__(self, remote: Remote, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._remote, self._folder, self._clock = remote, folder, clock
        self._number, self._beats = 0, 0
        self._me = uuid.uuid4().hex
        self._seen: tuple[str, bytes | None, float] = ("", None, clock())
        self._looked_at = ""
        self._neighbour: ProcessId | None = None

    def take(self) -> bool:
        """One attempt; False while another holds it and lives."""
        held = self._held()
        if held and not self._dead(held[-1]):
            return False
        number = int(held[-1][:5]) + 1 if held else 1
        owner = _Owner(owner=self._me, host=socket.gethostname(), where=_where(), process=identify(os.getpid()))
        if not self._remote.create(self._name(number, "lease"), owner.model_dump_json().encode()):
            return False
        self._number = number
        return True

    def holder(self) -> str:
        """Who holds it, for a person."""
        for name in reversed(self._held()):
            if found := self._owner(name):
                return f"{found.host}, process {found.process.pid}"
        return "nobody"

    def beat(self) -> bool:
        """Tells that the holder lives; False if another has taken over meanwhile."""
        found = self._owner(f"{self._number:05d}.lease")
        if found is None or found.owner != self._me or self._held()[-1:] != [f"{self._number:05d}.lease"]:
            return False
        self._beats += 1
        self._remote.write(self._name(self._number, "beat"), f"{self._me} {self._beats}".encode())
        return True

    def release(self) -> None:
        """Lets go, and clears away what dead holders left."""
        for number in range(1, self._number + 1):
            # The beat first: without its lease it would be mistaken for the next holder's.
            self._remote.delete(self._name(number, "beat"), self._name(number, "lease"))

    def _held(self) -> list[str]:
        return [name for name in self._remote.names(self._folder) if name.endswith(".lease")]

    def _owner(self, name: str) -> _Owner | None:
        found = self._remote.read(f"{self._folder}/{name}")
        try:
            return _Owner.model_validate_json(found) if found else None
        except ValidationError:
            return None

    def _dead(self, name: str) -> bool:
        if name != self._looked_at and (owner := self._owner(name)):
            self._looked_at, self._neighbour = name, owner.process if owner.where == _where() else None
        if name == self._looked_at and self._neighbour and self._neighbour.find() is None:
            return True
        beat = self._remote.read(f"{self._folder}/{name.removesuffix('lease')}beat")
        if (name, beat) != self._seen[:2]:
            self._seen = name, beat, self._clock()
        return self._clock() - self._seen[2] > DEAD_AFTER_S

    def _name(self, number: int, ending: str) -> str:
        return f"{self._folder}/{number:05d}.{ending}"


@cache
def _where() -> str:
    """The boot of this machine and the room in it in which pids mean something; nobody else's where that is unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return uuid.uuid4().hex


@contextmanager
def leased(
    remote: Remote, folder: str, each_beat: Callable[[], None], waiting: Callable[[str], None]
) -> Iterator[None]:
    """Waits for the lease, beats while it is held, and lets go.

    Args:
        each_beat: done at every beat, and once more at the end.
        waiting: is told who holds it, once, if somebody does.

    Raises:
        WorldError: the store cannot be reached.
    """
    lease = Lease(remote, folder)
    if not lease.take():
        waiting(lease.holder())
        while not lease.take():
            time.sleep(LOOK_S)
    done = threading.Event()

    def beating() -> None:
        while not done.wait(BEAT_S):
            # What does not reach the store now may at the next beat; a holder that is not heard is dead to others.
            with suppress(WorldError):
                each_beat()
                lease.beat()

    thread = threading.Thread(target=beating, name=f"lease {folder}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with suppress(WorldError):
            each_beat()
            lease.release()
