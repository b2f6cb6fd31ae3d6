"""What ends by itself is started again, but not for ever."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from blocks import kept
from nightschool.errors import WorldError

started: list[subprocess.Popen[bytes]] = []


@contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    started.append(subprocess.Popen(["sleep", "60"]))
    yield started[-1]
    started[-1].kill()
    started[-1].wait()


def kill() -> None:
    started[-1].kill()
    started[-1].wait()


def test_what_dies_is_started_again_a_bounded_number_of_times(monkeypatch) -> None:
    monkeypatch.setattr(kept, "MOST_DEATHS", 2)
    said: list[str] = []
    with kept.kept({"the server": sleeper}) as parts:
        parts.look(said.append)
        assert not said
        for _ in range(2):
            kill()
            parts.look(said.append)
            assert started[-1].poll() is None
        assert said[-1] == "the server ended by itself (exit code -9): it is started again (2 of 2)"
        kill()
        with pytest.raises(WorldError, match="too often"):
            parts.look(said.append)
    assert len(started) == 3
