"""Long work in a process of its own: its progress lines handed on, its end tied to ours."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from blocks.disk import writing
from blocks.pid_file import PidFile, identify
from nightschool.errors import DataError, NightError, Stopped, WorldError

_GUARD = Path(__file__).with_name("guard.py")
_BAD_INPUT = 2
_running: list[subprocess.Popen[bytes]] = []


def run_guarded(
    command: Sequence[str],
    *,
    log: Path,
    on_line: Callable[[dict[str, Any]], None],
    known_in: Path,
    grace_s: float = 5.0,
) -> None:
    """Runs `command` until it ends; stdout is read as JSON lines, stderr goes to `log`.

    The guard ends it when we end, however that happens: SIGTERM, and SIGKILL after `grace_s`. What outlives a guard
    that is killed as well, `blocks.pid_file.reap` finds by a file in `known_in`.

    Raises:
        DataError: it ended with 2 (its input is at fault); carries its last line.
        Stopped: it was told to end (`end_all`).
        WorldError: it ended otherwise than with 0; carries its last line and where the log is.
    """
    known = known_in / f"{log.parent.parent.name}-{log.parent.name}-{log.stem}.pid.json"
    with writing(known_in), log.open("ab") as errors:
        process = _start(command, errors, known, grace_s)
    assert process.stdout is not None
    assert process.stdin is not None
    _running.append(process)
    try:
        for line in process.stdout:
            with contextlib.suppress(orjson.JSONDecodeError):
                on_line(orjson.loads(line))
        code = process.wait()
    finally:
        told = process.stdin.closed
        process.stdin.close()
        process.wait()
        _running.remove(process)
        known.unlink(missing_ok=True)
    if code:
        raise Stopped if told else _failure(code, log)


def _failure(code: int, log: Path) -> NightError:
    last = last_lines(log, 1) or "it said nothing"
    return (DataError if code == _BAD_INPUT else WorldError)(f"{last} (exit code {code}; log: {log})")


def end_all() -> None:
    """Tells whatever runs guarded to end, as when we end; returns at once."""
    for process in _running.copy():
        if process.stdin is not None:
            process.stdin.close()


def _start(command: Sequence[str], errors: IO[bytes], known: Path, grace_s: float) -> subprocess.Popen[bytes]:
    mark = secrets.token_hex(16)
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", str(_GUARD), "--grace", str(grace_s), "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, PidFile.VARIABLE: mark},
        start_new_session=True,
    )
    left = PidFile(server=identify(process.pid), owner=identify(os.getpid()), mark=mark, grace_s=grace_s)
    left.write(known)
    return process


def last_lines(log: Path, count: int) -> str:
    """The end of a log for a person to read."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join([line for line in lines if line.strip()][-count:])
