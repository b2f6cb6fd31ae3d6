"""Servers that die in service: started again on their port, given up in the end, while the others go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blocks import server_process, supervised
from blocks.client import Client
from blocks.fleet import Fleet, outlast
from blocks.pid_file import alive
from blocks.supervised import Death
from nightschool.errors import WorldError
from nightschool.wire import Ask, Message, Reply, Sampling
from tests.blocks.fleets import ask, ask_the_rest, fleet_of, gone, pid_file_of, spec_with, until

pytestmark = pytest.mark.integration


def test_a_replica_killed_while_asked_comes_back_and_no_row_is_lost(tmp_path: Path, client: Client) -> None:
    script = json.dumps({"behaviour": "echo", "models": {"t": {"latency_s": {"mean": 0.02}}}})
    deaths: list[Death] = []
    spec = spec_with(replicas=2, concurrency=4, script=script)
    with Fleet([spec], log_dir=tmp_path, on_progress=lambda _: None, on_death=deaths.append) as fleet:
        endpoint = fleet.start()["t"]
        guard, server = alive(pid_file_of(tmp_path, "t-0").server.pid)
        replies: list[Reply] = []

        def keep(reply: Reply) -> None:
            replies.append(reply)
            if len(replies) == 20:
                server.kill()

        sampling = Sampling(temperature=0, max_tokens=9)
        message = (Message(role="user", content="hello"),)
        asks = [Ask(id=str(number), messages=message, sampling=sampling, seed=number) for number in range(400)]
        client.ask_all(endpoint, asks, keep, lambda *failure: pytest.fail(str(failure)))
        assert sorted(int(reply.id) for reply in replies) == list(range(400))
        until(lambda: set(fleet.states().values()) == {"up"})
        assert pid_file_of(tmp_path, "t-0").server.pid != guard.pid
        assert [(death.server, death.count) for death in deaths] == [("t-0", 1)]
        assert deaths[0].again_in_s is not None
        assert deaths[0].line.startswith("t-0 (scripted) ended with exit code 137; starts again in 1 s, log ")
        assert fleet.start()["t"] == endpoint
        assert (tmp_path / "t-0.log").read_text().count("serving t") == 2
        assert len(ask(client, endpoint, 10)) == 10


def test_asking_outlasts_the_death_of_the_only_server(tmp_path: Path, client: Client) -> None:
    script = json.dumps({"behaviour": "echo", "models": {"t": {}}, "die_after": 30})
    with fleet_of(tmp_path, spec_with(script=script, attempts=1)) as fleet:
        endpoint = fleet.start()["t"]
        found: dict[str, Reply] = {}
        failed: set[str] = set()

        def ask() -> None:
            ask_the_rest(client, endpoint, 80, found, failed)

        outlast(endpoint, ask)
        assert len(found) + len(failed) == 80
        assert len(failed) <= 64  # those in flight at a death, of one attempt each


def test_a_server_that_keeps_dying_is_given_up_and_its_log_is_told(tmp_path: Path, client: Client) -> None:
    script = json.dumps({"behaviour": "echo", "models": {"t": {}}, "die_after": 1})
    deaths: list[Death] = []
    specs = [spec_with(script=script, attempts=1, restarts=1, concurrency=1), spec_with("other")]
    with Fleet(specs, log_dir=tmp_path, on_progress=lambda _: None, on_death=deaths.append) as fleet:
        endpoints = fleet.start()
        found: dict[str, Reply] = {}
        with pytest.raises(WorldError, match=r"(?s)exit code 70.*serving t.*no server of t is left"):
            outlast(endpoints["t"], lambda: ask_the_rest(client, endpoints["t"], 50, found, set()))
        assert len(found) == 2  # one by each life
        assert [death.again_in_s for death in deaths] == [1.0, None]
        assert len(ask(client, endpoints["other"], 5)) == 5
        assert fleet.start() == endpoints
        assert len(ask(client, endpoints["t"], 1)) == 1


def test_a_replica_that_never_comes_is_done_without(tmp_path: Path, client: Client) -> None:
    with fleet_of(tmp_path, spec_with(replicas=2)) as fleet:
        (tmp_path / "t-1.pid.json").mkdir(parents=True)
        endpoint = fleet.start()["t"]
        assert fleet.states() == {"t-0": "up", "t-1": "lost"}
        assert len(ask(client, endpoint, 9)) == 9


def test_a_guard_that_is_killed_leaves_no_server_behind(tmp_path: Path) -> None:
    with fleet_of(tmp_path, spec_with(restarts=0)) as fleet:
        fleet.start()
        guard, server = alive(pid_file_of(tmp_path).server.pid)
        guard.kill()
        until(lambda: gone(server) and "lost" in fleet.states().values())


def test_a_server_that_hangs_is_started_again(tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("_LOOK_EVERY_S", 0.1), ("_SILENT_S", 0.3)):
        monkeypatch.setattr(supervised, name, seconds)
    monkeypatch.setattr(server_process, "_PROBE_TIMEOUT_S", 0.2)
    deaths: list[Death] = []
    with Fleet([spec_with()], log_dir=tmp_path, on_progress=lambda _: None, on_death=deaths.append) as hanging:
        endpoint = hanging.start()["t"]
        _, server = alive(pid_file_of(tmp_path).server.pid)
        server.suspend()
        until(lambda: deaths and hanging.states() == {"t": "up"})
        assert "has not been well" in deaths[0].how
        assert gone(server)
        assert len(ask(client, endpoint, 5)) == 5
