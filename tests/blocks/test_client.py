"""The client against a real HTTP server: nothing lost, nothing asked twice, work where there is room."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import get_args

import pytest

from blocks import exchange
from blocks.call import Setback
from blocks.client import Client
from blocks.connection import Answer
from blocks.scripted import Script
from blocks.scripted.local import scripted
from nightschool.recipe.script import WireFault
from nightschool.wire import Ask
from tests.blocks.client_asks import PATIENCE_S, Got, ask_all, asks, counted, echo, endpoint_of, latency


def test_every_ask_gets_its_own_reply_and_is_sent_once(client: Client) -> None:
    with scripted(echo()) as url:
        got = ask_all(client, endpoint_of(url), asks(300, samples=2))
        stats = counted(url)
    assert sorted(reply.id for reply in got.replies) == sorted(ask.id for ask in asks(300))
    assert all([choice.text for choice in reply.choices] == [reply.id, reply.id] for reply in got.replies)
    assert {(reply.model, reply.attempts) for reply in got.replies} == {("m", 1)}
    assert (stats["total"], stats["distinct"]) == (300, 300)
    assert (client.stats().sent, client.stats().replies, client.stats().retries) == (300, 300, 0)
    assert client.stats().tokens_in == 600


def test_half_of_the_requests_fail_and_each_row_has_its_reply(client: Client) -> None:
    script = echo(faults=dict.fromkeys(get_args(WireFault), 0.05), retry_after_s=0.01, slow_s=0.05)
    with scripted(script) as url:
        got = ask_all(client, endpoint_of(url, concurrency=16, attempts=20, timeout_s=0.2), asks(100))
        stats = counted(url)
    assert sorted([*(reply.id for reply in got.replies), *(failure[0] for failure in got.failures)]) == sorted(
        ask.id for ask in asks(100)
    )
    assert len(got.failures) < 3
    assert set(stats["faults"]) == set(get_args(WireFault))
    assert client.replicas()[0].state == "up"


def test_faults_are_retried_until_each_row_has_its_one_reply(client: Client) -> None:
    kinds = ("status_429", "status_500", "reset", "half_body", "wrong_content_type", "empty_choices", "slow")
    script = echo(faults=dict.fromkeys(kinds, 0.03), retry_after_s=0.1, slow_s=0.05)
    with scripted(script) as url:
        got = ask_all(client, endpoint_of(url, concurrency=32, attempts=8), asks(200))
        stats = counted(url)
    assert not got.failures
    assert sorted(reply.id for reply in got.replies) == sorted(ask.id for ask in asks(200))
    assert stats["answered_again"] == 0
    assert stats["total"] == client.stats().sent == 200 + client.stats().retries
    assert set(stats["faults"]) == set(kinds)
    assert max(reply.attempts for reply in got.replies) > 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("status_429", "rate_limited"), ("status_500", "server_error"), ("empty_choices", "broken_reply"),
     ("half_body", "no_reply"), ("hang", "no_reply")],
)  # fmt: skip
def test_a_row_that_keeps_failing_is_given_up_with_its_reason(client: Client, fault: str, reason: str) -> None:
    with scripted(echo(faults={fault: 1.0}, retry_after_s=0)) as url:
        got = ask_all(client, endpoint_of(url, attempts=2, timeout_s=0.3), asks(2))
        stats = counted(url)
    assert sorted((name, why, attempts) for name, why, attempts, _ in got.failures) == [
        ("row 0", reason, 2),
        ("row 1", reason, 2),
    ]
    assert all(text for _, _, _, text in got.failures)
    assert stats["total"] == 4
    assert client.stats().failures == 2


def test_retry_after_is_honoured(client: Client) -> None:
    with scripted(echo(faults={"status_429": 1.0}, retry_after_s=1)) as url:
        start = time.monotonic()
        ask_all(client, endpoint_of(url, attempts=2), asks(1))
        assert time.monotonic() - start >= 1


def test_as_many_are_in_flight_as_bring_more_where_nobody_has_said_how_many(client: Client) -> None:
    with scripted(echo(latency(0.03))) as url:
        got = ask_all(client, endpoint_of(url, concurrency=4, most_concurrency=32), asks(1500))
        stats = counted(url)
    assert len(got.replies) == stats["total"] == 1500
    assert stats["most_in_flight"] == client.replicas()[0].limit == 32


@pytest.mark.parametrize(
    ("said", "date", "wait_s"),
    [
        ("7", None, 7.0),
        ("0.5", "", 0.5),
        ("Sat, 21 Nov 2026 15:00:20 GMT", "Sat, 21 Nov 2026 15:00:00 GMT", 20.0),
        ("Sat, 21 Nov 2026 15:00:00 GMT", "Sat, 21 Nov 2026 15:00:20 GMT", 0.0),
        ("Sat, 21 Nov 2026 15:00:20 GMT", "", 0.0),
        ("in a while", "Sat, 21 Nov 2026 15:00:20 GMT", 0.0),
        ("1e99", None, 600.0),
        (None, None, 0.0),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(said: str | None, date: str | None, wait_s: float) -> None:
    failure = exchange._failure(None, Answer(429, said, date, b""))
    assert isinstance(failure, Setback)
    assert failure.retry_after_s == wait_s


@pytest.mark.parametrize("calls", [1, 3])
def test_concurrency_is_kept_and_shared_by_all_calls(client: Client, calls: int) -> None:
    with scripted(echo(latency(0.01))) as url:
        endpoint = endpoint_of(url, concurrency=8)
        threads = [
            threading.Thread(target=ask_all, args=(client, endpoint, asks(120 // calls, f"call {number}")))
            for number in range(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = counted(url)
    assert stats["most_in_flight"] == 8
    assert stats["distinct"] == stats["total"] == 120


def test_no_barrier_at_a_calls_end(client: Client) -> None:
    """The slots that a call's last slow ask leaves free serve the next call."""
    order: list[str] = []
    script = Script(behaviour="echo", models={"slow": latency(3.0), "m": latency(0.0)})
    with scripted(script) as url:
        slow = endpoint_of(url, concurrency=2, model="slow")
        thread = threading.Thread(
            target=client.ask_all, args=(slow, asks(1, "slow"), lambda reply: order.append(reply.model), Got().fail)
        )
        thread.start()
        while counted(url)["in_flight"] < 1:
            time.sleep(0.01)
        client.ask_all(endpoint_of(url, concurrency=2), asks(20), lambda reply: order.append(reply.model), Got().fail)
        thread.join(PATIENCE_S)
    assert order == ["m"] * 20 + ["slow"]


def test_asks_are_taken_as_slots_become_free(client: Client) -> None:
    taken: list[str] = []
    most_ahead = 0

    def noted() -> Iterator[Ask]:
        nonlocal most_ahead
        for ask in asks(100):
            taken.append(ask.id)
            most_ahead = max(most_ahead, len(taken) - len(got.replies))
            yield ask

    got = Got()
    with scripted(echo()) as url:
        client.ask_all(endpoint_of(url, concurrency=4), noted(), got.replies.append, got.fail)
    assert len(got.replies) == 100
    assert most_ahead <= 4


def test_work_goes_to_the_replica_that_is_free(client: Client) -> None:
    with scripted(echo(latency(0.002))) as fast, scripted(echo(latency(0.05))) as slow:
        got = ask_all(client, endpoint_of(fast, slow, concurrency=4), asks(200))
        asked = counted(fast)["total"], counted(slow)["total"]
    assert len(got.replies) == sum(asked) == 200
    assert asked[0] > 2 * asked[1] > 0


def test_few_asks_are_spread_over_replicas(client: Client) -> None:
    with scripted(echo(latency(0.05))) as one, scripted(echo(latency(0.05))) as two:
        ask_all(client, endpoint_of(one, two, concurrency=8), asks(4))
        assert (counted(one)["total"], counted(two)["total"]) == (2, 2)


def test_each_replica_has_its_numbers(client: Client) -> None:
    with scripted(echo(latency(0.01))) as one, scripted(echo(latency(0.01))) as two:
        ask_all(client, endpoint_of(one, two, concurrency=4), asks(40))
        found = client.replicas()
        asked = [counted(url)["total"] for url in (one, two)]
    assert [stats.url for stats in found] == [one, two]
    assert [stats.sent for stats in found] == [stats.replies for stats in found] == asked
    assert {(stats.models, stats.limit, stats.state) for stats in found} == {(("m",), 4, "up")}
    assert all(stats.latency_s >= 0.01 * stats.replies for stats in found)
    assert sum(stats.tokens_in for stats in found) == client.stats().tokens_in == 80
