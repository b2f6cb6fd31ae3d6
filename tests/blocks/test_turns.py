"""One night holds the devices, others queue for them; what a dead holder left is ended first."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blocks import turns
from blocks.pid_file import PidFile, identify
from blocks.turns import Queue, Ticket, ticket, turn
from nightschool.errors import WorldError
from tests.blocks.fleets import until

HOLDER = """
import sys, time
from pathlib import Path
from blocks.turns import ticket, turn
with turn(ticket("first", "runs", Path(sys.argv[1]), ["gpu-0"]), print) as held:
    print(*held, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(turns.VARIABLE, str(tmp_path / "turns"))
    monkeypatch.setattr(turns, "LOOK_S", 0.02)
    return tmp_path / "turns"


def of(name: str, *devices: str, **more) -> Ticket:
    return ticket(name, "runs", Path("nowhere"), devices, **more)


def nobody(queue: Queue) -> None:
    pytest.fail(f"waits for {queue}")


@contextmanager
def another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A night of another process that holds gpu-0."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout
    assert process.stdout.readline() == "gpu-0\n"
    yield process
    process.kill()
    process.wait()


def test_the_second_waits_for_the_first_says_for_whom_and_goes_on_when_it_was_killed(tmp_path: Path) -> None:
    seen: list[Queue] = []
    with another(tmp_path) as first:

        def kill(queue: Queue) -> None:
            seen.append(queue)
            first.kill()

        with turn(of("second", "gpu-0", "gpu-1"), kill) as held:
            assert held == ("gpu-0", "gpu-1")
    assert [one.night for one in seen[0].holders] == ["first"]


def test_other_devices_are_not_waited_for(tmp_path: Path) -> None:
    with another(tmp_path), turn(of("second", "gpu-1"), nobody) as held:
        assert held == ("gpu-1",)


def test_any_place_is_enough_where_any_will_do() -> None:
    places = ("cpu-0", "cpu-1")
    with turn(of("a", *places, count=1), nobody) as first, turn(of("b", *places, count=1), nobody) as second:
        assert (first, second) == (("cpu-0",), ("cpu-1",))


def test_nights_that_want_nothing_and_those_told_so_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with turn(of("a", "gpu-0"), nobody):
        with turn(of("b"), nobody) as held:
            assert held == ()
        monkeypatch.setenv(turns.VARIABLE, turns.OFF)
        with turn(of("c", "gpu-0"), nobody) as held:
            assert held == ()


def test_an_urgent_one_goes_first_and_the_others_in_the_order_of_their_coming(folder: Path) -> None:
    order: list[str] = []

    def night(mine: Ticket) -> None:
        with turn(mine, lambda queue: None):
            order.append(mine.night)

    with turn(of("first", "gpu-0"), nobody):
        tickets = [of("second", "gpu-0"), of("third", "gpu-0"), of("urgent", "gpu-0", urgent=True)]
        # One process each, as far as the queue can tell.
        pids = (os.getpid(), os.getppid(), 1)
        tickets = [one.model_copy(update={"process": identify(pid)}) for one, pid in zip(tickets, pids, strict=True)]
        threads = [threading.Thread(target=night, args=(one,)) for one in reversed(tickets)]
        for thread in threads:
            thread.start()
        until(lambda: len(turns.waiting_nights(folder)) == 3)
    for thread in threads:
        thread.join()
    assert order == ["urgent", "second", "third"]


def test_a_waiter_that_died_is_not_waited_for(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        dead = of("dead", "gpu-0", urgent=True).model_copy(update={"process": identify(process.pid)})
        process.kill()
    (folder / "queue").mkdir(parents=True)
    (folder / "queue" / "dead.json").write_text(dead.model_dump_json())
    with turn(of("second", "gpu-0"), nobody):
        assert not list((folder / "queue").iterdir())


def test_what_a_holder_that_was_killed_left_running_is_ended_before_the_next_begins(tmp_path: Path) -> None:
    servers = tmp_path / "servers"
    servers.mkdir()
    with subprocess.Popen(["sleep", "60"]) as left:
        with another(tmp_path) as first:
            PidFile(server=identify(left.pid), owner=identify(first.pid), mark="none").write(servers / "a.pid.json")
        assert left.poll() is None
        with turn(of("second", "gpu-0"), nobody):
            left.wait(5)


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(turns.VARIABLE, str(tmp_path / "file"))
    with pytest.raises(WorldError, match=turns.VARIABLE), turn(of("a", "gpu-0"), nobody):
        pass
