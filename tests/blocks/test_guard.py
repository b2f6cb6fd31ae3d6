"""The guard, against real processes and real kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from blocks import guard

_PATIENCE_S = 120.0

# A command with a child of its own; both write their pid, and the parent says whether it was told to end.
_FAMILY = """
import os, pathlib, signal, subprocess, sys, time
folder, stubborn = pathlib.Path(sys.argv[1]), sys.argv[2] == "stubborn"
def told(*_):
    (folder / "told").write_text("")
    if not stubborn:
        sys.exit(9)
signal.signal(signal.SIGTERM, told)
child = subprocess.Popen(["sleep", "1000"])
(folder / "pids").write_text(f"{os.getpid()} {child.pid}\\n")
while True:
    time.sleep(0.01)
"""

# A night that starts the family under a guard and then waits to be killed.
_NIGHT = """
import sys, time
from blocks import guard
print(guard.start(sys.argv[1:], grace_s=0.3).pid, flush=True)
time.sleep(1000)
"""


def _until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _family(folder: Path, kind: str = "") -> list[str]:
    return [sys.executable, "-c", _FAMILY, str(folder), kind]


def _pids(folder: Path) -> list[int]:
    path = folder / "pids"
    _until(lambda: path.exists() and path.read_text().endswith("\n"))
    return [int(pid) for pid in path.read_text().split()]


@pytest.fixture
def night(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, list[int]]]:
    """A night, its guard's pid, and the pids of the family that the guard looks after."""
    root = Path(guard.__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", _NIGHT, *_family(tmp_path)], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    guard_pid = int(process.stdout.readline())
    family = _pids(tmp_path)
    yield process, guard_pid, family
    process.kill()
    process.wait()
    process.stdout.close()
    for pid in (guard_pid, *family):
        if not _gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_kill_9_of_the_night_ends_child_and_grandchild(night: tuple[subprocess.Popen[bytes], int, list[int]]) -> None:
    process, guard_pid, family = night
    process.kill()
    _until(lambda: all(_gone(pid) for pid in (guard_pid, *family)))


def test_kill_9_of_night_and_guard_ends_the_child(night: tuple[subprocess.Popen[bytes], int, list[int]]) -> None:
    process, guard_pid, (child, _) = night
    os.kill(guard_pid, signal.SIGSTOP)
    process.kill()
    os.kill(guard_pid, signal.SIGKILL)
    _until(lambda: _gone(child))


def test_end_is_orderly_and_passes_the_exit_code_on(tmp_path: Path) -> None:
    guarded = guard.start(_family(tmp_path))
    family = _pids(tmp_path)
    assert guard.end(guarded) == 9
    assert (tmp_path / "told").exists()
    assert all(_gone(pid) for pid in family)


def test_one_that_does_not_heed_sigterm_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    guarded = guard.start(_family(tmp_path, "stubborn"), grace_s=0.3)
    family = _pids(tmp_path)
    assert guard.end(guarded, grace_s=0.3) == 128 + signal.SIGKILL
    assert (tmp_path / "told").exists()
    assert all(_gone(pid) for pid in family)


def test_sigterm_to_the_guard_ends_the_group(tmp_path: Path) -> None:
    guarded = guard.start(_family(tmp_path))
    family = _pids(tmp_path)
    guarded.terminate()
    assert guarded.wait(_PATIENCE_S) == 9
    assert all(_gone(pid) for pid in family)
    guard.end(guarded)


def test_a_child_that_ends_by_itself_leaves_no_grandchild(tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! > {tmp_path / 'pids'}; exit 7"
    guarded = guard.start(["sh", "-c", script])
    assert guarded.wait(_PATIENCE_S) == 7
    assert all(_gone(pid) for pid in _pids(tmp_path))
    guard.end(guarded)


def test_output_passes_through(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        guarded = guard.start(["sh", "-c", "echo out; echo err >&2"], log=log)
    assert guarded.wait(_PATIENCE_S) == 0
    guard.end(guarded)
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_a_command_that_does_not_exist(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        guarded = guard.start([str(tmp_path / "nothing")], log=log)
    assert guarded.wait(_PATIENCE_S) == 127
    guard.end(guarded)
    assert "cannot start" in (tmp_path / "log").read_text()
