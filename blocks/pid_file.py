"""From pid files to what an earlier night left running: known by pid and start time, never by name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import ClassVar

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

# The kernel counts start times in hundredths from a boot time that a clock adjustment may move a little.
_SAME_START_S = 2.0
_ORDERLY_END_S = 10.0


class ProcessId(BaseModel):
    """A process beyond doubt: a pid comes again, a pid with its start time (seconds since 1970) does not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    create_time: float

    def find(self) -> psutil.Process | None:
        """The process, if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < _SAME_START_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


class PidFile(BaseModel):
    """A guarded process, the night that owns it, and the mark that all its descendants carry in their environment.

    `grace_s`: how long it may take to end in an orderly way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    VARIABLE: ClassVar[str] = "NIGHTSCHOOL_SERVER"

    server: ProcessId
    owner: ProcessId
    mark: str
    grace_s: float = 10.0

    def write(self, path: Path) -> None:
        path.write_text(self.model_dump_json(), encoding="utf-8")


def identify(pid: int) -> ProcessId:
    """A process that surely runs now."""
    return ProcessId(pid=pid, create_time=psutil.Process(pid).create_time())


def alive(pid: int) -> list[psutil.Process]:
    """A process and all its descendants; empty when it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def reap(log_dir: Path) -> list[str]:
    """End what an earlier night that was killed left running, and remove its pid files.

    Servers whose night still runs are left alone.

    Returns:
        Names of the servers of which something was still running.
    """
    return [path.name.removesuffix(".pid.json") for path in sorted(log_dir.glob("*.pid.json")) if _reap_one(path)]


def _reap_one(path: Path) -> bool:
    try:
        left = PidFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        left = None
    if left is not None and left.owner.find():
        return False
    found = _end(left) if left is not None else False
    with contextlib.suppress(OSError):
        path.unlink()
    return found


def _end(left: PidFile) -> bool:
    server = left.server.find()
    if server is not None:
        family = alive(server.pid)
        # The guard knows how to end its group in an orderly way.
        with contextlib.suppress(psutil.Error):
            server.terminate()
        _, stubborn = psutil.wait_procs(family, timeout=left.grace_s)
        _kill(stubborn)
    return end_marked(left.mark) or server is not None


def end_marked(mark: str) -> bool:
    """End whatever carries a server's mark; whether anything did."""
    orphans = [process for process in psutil.process_iter() if _carries(process, mark)]
    _kill(orphans)
    return bool(orphans)


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(PidFile.VARIABLE) == mark
    except (psutil.Error, OSError):
        return False


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=_ORDERLY_END_S)
