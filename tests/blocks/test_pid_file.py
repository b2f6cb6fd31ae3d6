"""What a killed night leaves: nothing, and what it left all the same is known and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from blocks import pid_file as pid_file_module
from blocks.pid_file import PidFile, ProcessId, alive, identify, reap
from tests.blocks.fleets import PATIENCE_S, gone, pid_file_of, until

pytestmark = pytest.mark.integration

# A training whose process leaves another one in a session of its own, as launchers do.
_TRAINING = """
import pathlib, subprocess, sys
from blocks.process import run_guarded
folder = pathlib.Path(sys.argv[1])
leaves = '''
import subprocess, time
subprocess.Popen(["sleep", "1000"], start_new_session=True)
print("{}", flush=True)
time.sleep(1000)
'''
said = lambda line: print("up", flush=True)
run_guarded([sys.executable, "-c", leaves], log=folder / "log", known_in=folder, on_line=said)
"""

_NIGHT = """
import pathlib, sys, time
from blocks.fleet import Fleet
from blocks.servers import ServerSpec
spec = ServerSpec(name="t", engine="scripted", model="t", replicas=2)
Fleet([spec], log_dir=pathlib.Path(sys.argv[1]), on_progress=print).start()
print("up", flush=True)
time.sleep(1000)
"""


def _family(folder: Path) -> list[psutil.Process]:
    """Guard and server of each replica."""
    return [process for name in ("t-0", "t-1") for process in alive(pid_file_of(folder, name).server.pid)]


@pytest.fixture
def killed_night(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A night of its own process whose fleet is up."""
    root = Path(pid_file_module.__file__).parents[1]
    night = subprocess.Popen([sys.executable, "-c", _NIGHT, str(tmp_path)], cwd=root, stdout=subprocess.PIPE)
    assert night.stdout is not None
    while night.stdout.readline() not in (b"up\n", b""):
        pass
    family = _family(tmp_path)
    yield night
    night.kill()
    night.wait()
    night.stdout.close()
    for process in family:
        if process.is_running():
            process.kill()


def test_kill_9_of_the_night_leaves_no_server(tmp_path: Path, killed_night: subprocess.Popen[bytes]) -> None:
    family = _family(tmp_path)
    assert len(family) == 4
    killed_night.kill()
    until(lambda: all(map(gone, family)))
    killed_night.wait()
    assert reap(tmp_path) == []
    assert not list(tmp_path.glob("*.pid.json"))


def test_what_a_killed_night_left_is_reaped(
    tmp_path: Path, killed_night: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pid_file_module, "_ORDERLY_END_S", 0.5)
    family = _family(tmp_path)
    assert reap(tmp_path) == []
    for guard in family[::2]:
        guard.send_signal(signal.SIGSTOP)
    killed_night.kill()
    killed_night.wait()
    assert not any(map(gone, family))
    assert reap(tmp_path) == ["t-0", "t-1"]
    assert all(map(gone, family))
    assert not list(tmp_path.glob("*.pid.json"))


def test_an_orphan_is_known_by_its_mark(tmp_path: Path) -> None:
    gone = ProcessId(pid=2**22 - 1, create_time=1.0)
    orphan = subprocess.Popen(["sleep", "1000"], env={**os.environ, PidFile.VARIABLE: "the mark"})
    bystander = subprocess.Popen(["sleep", "1000"])
    until(lambda: psutil.Process(orphan.pid).name() == "sleep")
    try:
        PidFile(server=gone, owner=gone, mark="the mark").write(tmp_path / "t.pid.json")
        assert reap(tmp_path) == ["t"]
        orphan.wait(PATIENCE_S)
        assert bystander.poll() is None
    finally:
        orphan.kill()
        bystander.kill()
        orphan.wait()
        bystander.wait()


def test_a_pid_that_came_again_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        earlier = ProcessId(pid=stranger.pid, create_time=identify(stranger.pid).create_time - 100)
        PidFile(server=earlier, owner=earlier, mark="x").write(tmp_path / "t.pid.json")
        (tmp_path / "torn.pid.json").write_text('{"server": ')
        assert reap(tmp_path) == []
        assert stranger.poll() is None
        assert not list(tmp_path.glob("*.pid.json"))
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_training_leaves_whose_guard_was_killed_as_well_is_ended_at_the_next_begin(tmp_path: Path) -> None:
    root = Path(pid_file_module.__file__).parents[1]
    night = subprocess.Popen([sys.executable, "-c", _TRAINING, str(tmp_path)], cwd=root, stdout=subprocess.PIPE)
    assert night.stdout is not None
    assert night.stdout.readline() == b"up\n"
    family = psutil.Process(night.pid).children(recursive=True)
    orphan = next(process for process in family if process.name() == "sleep")
    assert reap(tmp_path) == [], "its night runs"
    for process in (psutil.Process(night.pid), *(one for one in family if one != orphan)):
        process.kill()
    night.wait()
    assert orphan.is_running()
    assert len(reap(tmp_path)) == 1
    until(lambda: gone(orphan))
    assert not list(tmp_path.glob("*.pid.json"))
