"""The client in trouble: servers that die or refuse, callers that raise or leave; the right error at the right time."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from blocks.client import Client
from blocks.scripted import ScriptedModel
from blocks.scripted.local import scripted
from blocks.server_process import free_port
from nightschool.errors import DataError, NightError, OutOfTime, RecipeError, Stopped, WorldError
from nightschool.wire import Ask, Endpoint, Reply
from tests.blocks.client_asks import PATIENCE_S, Got, ask_all, asks, counted, echo, endpoint_of, latency


def test_a_dead_replica_costs_no_row_an_attempt(client: Client) -> None:
    dead = f"http://127.0.0.1:{free_port()}/v1"
    with scripted(echo(latency(0.002))) as url:
        got = ask_all(client, endpoint_of(dead, url, concurrency=4, attempts=1), asks(200))
    assert (len(got.replies), got.failures) == (200, [])
    assert [stats.state for stats in client.replicas()][1] == "up"
    assert client.replicas()[0].state in ("resting", "down")


def test_a_server_that_is_gone_ends_the_call_soon(client: Client) -> None:
    start = time.monotonic()
    with pytest.raises(WorldError, match=r"m does not answer at http://127\.0\.0\.1"):
        ask_all(client, endpoint_of(f"http://127.0.0.1:{free_port()}/v1", concurrency=64, attempts=1), asks(5000))
    assert time.monotonic() - start < 60


def test_a_server_that_comes_back_is_used_again(client: Client) -> None:
    port = free_port()
    got = Got()
    endpoint = endpoint_of(f"http://127.0.0.1:{port}/v1", attempts=2)
    thread = threading.Thread(target=client.ask_all, args=(endpoint, asks(20), got.replies.append, got.fail))
    thread.start()
    with scripted(echo(), port=port):
        thread.join(PATIENCE_S)
    assert (len(got.replies), got.failures) == (20, [])


def test_a_server_that_fails_everything_is_down(client: Client) -> None:
    with scripted(echo(faults={"status_500": 1.0})) as url, pytest.raises(WorldError, match="does not answer"):
        ask_all(client, endpoint_of(url, concurrency=2, attempts=1), asks(5000))


def test_a_refusal_ends_the_call_at_once_and_never_shows_the_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(echo()) as url:
        with pytest.raises(DataError, match=r"http://127\.0\.0\.1:\d+/v1 .*nobody.*404.*nobody"):
            ask_all(client, endpoint_of(url, model="nobody"), asks(50))
        assert counted(url)["total"] == 0
    monkeypatch.setenv("NIGHTSCHOOL_API_KEY", "right")
    monkeypatch.setenv("OUR_KEY", "wrong-key")
    with scripted(echo()) as url, pytest.raises(DataError, match="401") as refusal:
        ask_all(client, endpoint_of(url, key_env="OUR_KEY"), asks(50))
    assert "wrong-key" not in str(refusal.value)
    monkeypatch.setenv("OUR_KEY", "right")
    with scripted(echo()) as url:
        assert len(ask_all(client, endpoint_of(url, key_env="OUR_KEY"), asks(5)).replies) == 5


def test_a_key_that_is_not_set_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUR_KEY", raising=False)
    with pytest.raises(RecipeError, match="OUR_KEY"):
        ask_all(client, endpoint_of("http://127.0.0.1:1/v1", key_env="OUR_KEY"), asks(1))


def test_what_the_callers_callback_raises_ends_that_call_alone(client: Client) -> None:
    def full(_: Reply) -> None:
        raise OSError("no space left")

    other = Got()
    with scripted(echo(latency(0.005))) as url:
        endpoint = endpoint_of(url, concurrency=4)
        thread = threading.Thread(target=client.ask_all, args=(endpoint, asks(100), other.replies.append, other.fail))
        thread.start()
        with pytest.raises(OSError, match="no space left"):
            client.ask_all(endpoint, asks(100, "mine"), full, other.fail)
        thread.join(PATIENCE_S)
    assert len(other.replies) == 100


def test_what_the_callers_iterator_raises_ends_the_call(client: Client) -> None:
    def noted() -> Iterator[Ask]:
        yield from asks(10)
        raise ValueError("no more")

    got = Got()
    with scripted(echo()) as url, pytest.raises(ValueError, match="no more"):
        client.ask_all(endpoint_of(url), noted(), got.replies.append, got.fail)
    assert len(got.replies) == 10


def test_no_asks_is_no_work(client: Client) -> None:
    assert ask_all(client, endpoint_of("http://127.0.0.1:1/v1"), asks(0)).replies == []


def test_closing_ends_a_call_that_waits() -> None:
    client, errors = Client(), []

    def wait(endpoint: Endpoint) -> None:
        try:
            ask_all(client, endpoint, asks(5))
        except WorldError as error:
            errors.append(error)

    with scripted(echo(faults={"hang": 1.0})) as url:
        thread = threading.Thread(target=wait, args=(endpoint_of(url),))
        thread.start()
        while counted(url)["in_flight"] < 5:
            time.sleep(0.01)
        client.close()
        thread.join(PATIENCE_S)
    assert len(errors) == 1


def test_a_caller_that_is_interrupted_leaves_nothing_going(client: Client) -> None:
    """Prefect ends a task that is out of time by raising in its thread."""
    got, ended = Got(), threading.Event()

    def call(endpoint: Endpoint) -> None:
        try:
            client.ask_all(endpoint, asks(1000), got.replies.append, got.fail)
        except InterruptedError:
            ended.set()

    with scripted(echo(latency(0.05))) as url:
        thread = threading.Thread(target=call, args=(endpoint_of(url, concurrency=2),))
        thread.start()
        while len(got.replies) < 2:
            time.sleep(0.01)
        assert thread.ident is not None
        interrupt = ctypes.py_object(InterruptedError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), interrupt)
        assert ended.wait(PATIENCE_S)
        while counted(url)["in_flight"]:
            time.sleep(0.01)
        asked, replies = counted(url)["total"], len(got.replies)
        assert len(ask_all(client, endpoint_of(url, concurrency=2), asks(4, "later")).replies) == 4
        assert counted(url)["total"] == asked + 4
    assert (len(got.replies), got.failures) == (replies, [])


def test_an_endpoint_without_a_url(client: Client) -> None:
    with pytest.raises(RecipeError, match="no URL"):
        ask_all(client, endpoint_of(), asks(1))


def test_models(client: Client) -> None:
    with scripted(echo()) as url:
        assert client.models(endpoint_of(url)) == {url: ("m",)}
    with pytest.raises(WorldError, match="no list of models from http://127"):
        client.models(endpoint_of(f"http://127.0.0.1:{free_port()}/v1"))


def test_a_client_that_drains_loses_no_reply_and_asks_nothing_more(client: Client) -> None:
    got = Got()
    errors: list[NightError] = []

    def ask() -> None:
        try:
            client.ask_all(endpoint, asks(200), got.replies.append, got.fail)
        except NightError as error:
            errors.append(error)

    with scripted(echo(latency(0.2))) as url:
        endpoint = endpoint_of(url, concurrency=8)
        thread = threading.Thread(target=ask)
        thread.start()
        while client.stats().replies < 8:
            time.sleep(0.005)
        assert client.drain(20) == 0
        thread.join(PATIENCE_S)
        assert len(got.replies) == counted(url)["total"] < 200
        assert counted(url)["aborted"] == 0
        ask()
        assert [type(error) for error in errors] == [Stopped, Stopped]
        client.resume()
        assert len(ask_all(client, endpoint, asks(8)).replies) == 8


def test_draining_gives_up_on_requests_that_take_too_long(client: Client) -> None:
    with scripted(echo(latency(60))) as url:
        thread = threading.Thread(target=_swallow, args=(client, endpoint_of(url, concurrency=3)))
        thread.start()
        while not client.replicas() or client.replicas()[0].in_flight < 3:
            time.sleep(0.005)
        assert client.drain(0.1) == 3
    thread.join(PATIENCE_S)


def _swallow(client: Client, endpoint: Endpoint) -> None:
    with suppress(NightError):
        ask_all(client, endpoint, asks(9))


def test_a_call_ends_at_its_moment_with_what_came_until_then(client: Client) -> None:
    got, began = Got(), time.monotonic()
    with scripted(echo(ScriptedModel.model_validate({"latency_s": {"mean": 0.6, "jitter": 0.6}}))) as url:
        with pytest.raises(OutOfTime):
            client.ask_all(endpoint_of(url), asks(200), got.replies.append, got.fail, until=began + 2)
        seconds = time.monotonic() - began
        # The same server answers the next, who has time: to be slow is no failure.
        later = ask_all(client, endpoint_of(url), asks(4, "later"))
    assert 0 < len(got.replies) < 160
    assert got.failures == []
    assert seconds < 60
    assert len(later.replies) == 4
    assert client.replicas()[0].state == "up"


def test_a_call_whose_moment_has_passed_sends_nothing(client: Client) -> None:
    got = Got()
    with scripted(echo()) as url:
        with pytest.raises(OutOfTime):
            client.ask_all(endpoint_of(url), asks(5), got.replies.append, got.fail, until=time.monotonic() - 1)
        assert counted(url)["total"] == 0


def test_a_server_that_is_gone_does_not_outlast_the_moment(client: Client) -> None:
    start = time.monotonic()
    gone = endpoint_of(f"http://127.0.0.1:{free_port()}/v1", attempts=20)
    with pytest.raises(OutOfTime):
        client.ask_all(gone, asks(5), lambda reply: None, lambda *_: None, until=start + 0.5)
    assert time.monotonic() - start < 60
