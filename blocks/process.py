"""Long work in a process of its own: its progress lines handed on, its end tied to ours."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from nightschool.errors import DataError, WorldError

_GUARD = Path(__file__).with_name("guard.py")
_BAD_INPUT = 2


def run_guarded(
    command: Sequence[str],
    *,
    log: Path,
    on_line: Callable[[dict[str, Any]], None],
    grace_s: float = 5.0,
) -> None:
    """Runs `command` until it ends; stdout is read as JSON lines, stderr goes to `log`.

    The guard ends it when we end, however that happens: SIGTERM, and SIGKILL after `grace_s`.

    Raises:
        DataError: it ended with 2 (its input is at fault); carries its last line.
        WorldError: it ended otherwise than with 0; carries its last line and where the log is.
    """
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(_GUARD), "--grace", str(grace_s), "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        for line in process.stdout:
            with contextlib.suppress(orjson.JSONDecodeError):
                on_line(orjson.loads(line))
        code = process.wait()
    finally:
        process.stdin.close()
        process.wait()
    if code:
        last = last_lines(log, 1) or "it said nothing"
        raise (DataError if code == _BAD_INPUT else WorldError)(f"{last} (exit code {code}; log: {log})")


def last_lines(log: Path, count: int) -> str:
    """The end of a log for a person to read."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join([line for line in lines if line.strip()][-count:])
