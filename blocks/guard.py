"""From a command to a process group that ends with whoever started it, however that ends.

Run by file path with the standard library only: `python blocks/guard.py [--grace 5] -- CMD...`. The guard's stdin is
a pipe that its starter holds open and never writes to. When the starter ends, even by kill -9, the kernel closes the
pipe, and the guard ends the group: SIGTERM, a grace period, SIGKILL. When the guard itself is killed, the kernel kills
the command (parent-death signal). The command's exit code becomes the guard's.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
    grace_s: float = 5.0,
) -> subprocess.Popen[bytes]:
    """Start a command under a guard that ends it when this process ends.

    The guard leads a session of its own, so that Ctrl-C reaches the starter alone, which decides what ends when.
    Closing the returned process's `stdin` ends the command in an orderly way.

    Args:
        log: where stdout and stderr go; None leaves them as they are.
    """
    guard = [sys.executable, "-S", "-E", str(Path(__file__).resolve()), "--grace", str(grace_s), "--", *command]
    return subprocess.Popen(
        guard,
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=None if log is None else subprocess.STDOUT,
        start_new_session=True,
    )


def end(guarded: subprocess.Popen[bytes], *, grace_s: float = 5.0) -> int:
    """End a guarded command in an orderly way and return its exit code; `grace_s` as it was given to `start`."""
    if guarded.stdin is not None:
        guarded.stdin.close()
    try:
        return guarded.wait(timeout=grace_s + 5.0)
    except subprocess.TimeoutExpired:
        guarded.kill()
        return guarded.wait()


def main() -> int:
    """Run the command named on the command line until it ends or must end; its exit code (128 + signal if killed)."""
    parser = argparse.ArgumentParser(description="run a command that ends when stdin does")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- CMD...")
    given = parser.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("no command given")
    # Signals must be caught before the child exists, or its early end would go unseen.
    wake = _catch_signals()
    try:
        # The guard has one thread, so code between fork and exec is safe here.
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_die_with_parent(),  # noqa: PLW1509
        )
    except OSError as err:
        sys.stderr.write(f"guard: cannot start {command[0]}: {err.strerror}\n")
        return 127
    _wait(child, wake)
    _end_group(child, given.grace)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _die_with_parent() -> Callable[[], None] | None:
    """Adopt what the child leaves behind; what makes the child die with the guard, to be run in the child.

    libc is loaded here because a child between fork and exec must not load anything.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc, guard = ctypes.CDLL(None), os.getpid()
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard:
            os._exit(128 + signal.SIGKILL)

    return ask_kernel


def _catch_signals() -> int:
    """The end of a pipe that can be read as soon as a signal arrives."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return wake


def _wait(child: subprocess.Popen[bytes], wake: int) -> None:
    """Return when the child has ended, our stdin has, or we are told to end."""
    while child.poll() is None:
        ready, _, _ = select.select([0, wake], [], [])
        if 0 in ready and not os.read(0, 4096):
            return
        if wake in ready and set(os.read(wake, 64)) - {signal.SIGCHLD}:
            return


def _end_group(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """SIGTERM to the whole group, a grace period, SIGKILL; what outlives a child that ended by itself goes as well."""
    if _signal(child.pid, signal.SIGTERM):
        deadline = time.monotonic() + grace_s
        while time.monotonic() < deadline and (child.poll() is None or _has_orphans(child.pid)):
            time.sleep(0.02)
        _signal(child.pid, signal.SIGKILL)
    child.wait()


def _has_orphans(group: int) -> bool:
    """Whether the group outlives its leader; those that have ended are buried first, as they are our children now."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG) != (0, 0):
            pass
    return _signal(group, 0)


def _signal(group: int, number: int) -> bool:
    """Whether the group had a process to receive the signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
