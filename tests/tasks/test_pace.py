"""Numbers for operators: rates of a window, counts of the phase, each server by its name."""

from __future__ import annotations

import pytest

from blocks.replica import ReplicaStats
from tasks import pace
from tasks.pace import Meter, Pace, describe_pace

A, B = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


class Servers:
    """What a client would have counted."""

    def __init__(self) -> None:
        self.found: dict[str, ReplicaStats] = {}

    def add(self, url: str, replies: int = 0, *, tokens: int = 0, retries: int = 0, **now: object) -> None:
        one = self.found.setdefault(url, ReplicaStats(url=url, limit=8))
        one.replies += replies
        one.tokens_out += tokens
        one.retries += retries
        for name, value in now.items():
            setattr(one, name, value)

    def __call__(self) -> list[ReplicaStats]:
        return list(self.found.values())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def read(meter: Meter, *, whole: bool = False) -> Pace:
    found = meter.read(whole=whole)
    assert found is not None
    return found


def test_rates_are_those_of_the_last_seconds_and_counts_those_of_the_phase(clock: list[float]) -> None:
    servers = Servers()
    servers.add(A, 1000, tokens=9999, retries=7)
    meter = Meter(servers, lambda: {A: "alba-0"})
    assert meter.read() is None
    for _ in range(100):
        clock[0] += 0.5
        servers.add(A, 2, tokens=50)
        servers.add(B, 1, tokens=10, in_flight=3)
        meter.read()
    servers.add(A, retries=2)
    found = read(meter)
    assert (found.requests_s, found.tokens_s) == (pytest.approx(6, rel=0.1), pytest.approx(120, rel=0.1))
    assert (found.in_flight, found.limit, found.retries) == (3, 16, 2)
    assert [one.server for one in found.servers] == ["alba-0", B]
    clock[0] += 60
    assert read(meter).requests_s == pytest.approx(0, abs=0.2)
    assert read(meter, whole=True).requests_s == pytest.approx(300 / 110)


def test_a_server_that_this_phase_does_not_ask_is_not_shown(clock: list[float]) -> None:
    servers = Servers()
    servers.add(A, 5)
    meter = Meter(servers)
    clock[0] += 1
    servers.add(B, 5)
    assert [one.server for one in read(meter).servers] == [B]


def test_in_words() -> None:
    servers = Servers()
    meter = Meter(servers, lambda: {A: "alba-0"})
    servers.add(A, 1, tokens=300, retries=1, state="down", in_flight=2, tokens_in=200, tokens_cached=124)
    servers.add(B, 1, tokens_in=200)
    found = read(meter)
    assert describe_pace(found, 4100).endswith("2 in flight, 4,100 queued, 31% from cache, 1 retry, alba-0 away")
    assert [one.hits for one in found.servers] == ["62%", ""]
