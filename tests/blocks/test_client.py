"""The client against a real HTTP server: nothing lost, nothing asked twice, and the right error at the right time."""

from __future__ import annotations

import ctypes
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from blocks.client import Client
from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.errors import DataError, RecipeError, WorldError
from nightschool.wire import Ask, Endpoint, Message, Reply, Sampling

_PATIENCE_S = 20.0


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as one:
        yield one


class Got:
    """What came back for a call."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.failures: list[tuple[str, str, int, str]] = []

    def fail(self, ask: Ask, reason: str, attempts: int, text: str) -> None:
        self.failures.append((ask.id, reason, attempts, text))


def _asks(count: int, prefix: str = "row", samples: int = 1) -> Iterator[Ask]:
    sampling = Sampling(temperature=0.5, max_tokens=9, samples=samples)
    for number in range(count):
        text = f"{prefix} {number}"
        yield Ask(id=text, messages=(Message(role="user", content=text),), sampling=sampling, seed=number)


def _echo(model: ScriptedModel | None = None, **fields: Any) -> Script:
    return Script.model_validate({"behaviour": "echo", "models": {"m": model or ScriptedModel()}, **fields})


def _latency(mean: float) -> ScriptedModel:
    return ScriptedModel.model_validate({"latency_s": {"mean": mean}})


def _endpoint(*urls: str, concurrency: int = 8, **fields: Any) -> Endpoint:
    return Endpoint(model=fields.pop("model", "m"), urls=urls, concurrency=concurrency, **fields)


def _ask(client: Client, endpoint: Endpoint, asks: Iterator[Ask]) -> Got:
    got = Got()
    client.ask_all(endpoint, asks, got.replies.append, got.fail)
    return got


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=5) as answer:
        return json.loads(answer.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_every_ask_gets_its_own_reply_and_is_sent_once(client: Client) -> None:
    with scripted(_echo()) as url:
        got = _ask(client, _endpoint(url), _asks(300, samples=2))
        stats = _stats(url)
    assert sorted(reply.id for reply in got.replies) == sorted(ask.id for ask in _asks(300))
    assert all([choice.text for choice in reply.choices] == [reply.id, reply.id] for reply in got.replies)
    assert {(reply.model, reply.attempts) for reply in got.replies} == {("m", 1)}
    assert (stats["total"], stats["distinct"]) == (300, 300)
    assert (client.stats().sent, client.stats().replies, client.stats().retries) == (300, 300, 0)
    assert client.stats().tokens_in == 600


def test_faults_are_retried_until_each_row_has_its_one_reply(client: Client) -> None:
    kinds = ("status_429", "status_500", "reset", "half_body", "wrong_content_type", "empty_choices", "slow")
    script = _echo(faults=dict.fromkeys(kinds, 0.03), retry_after_s=0.1, slow_s=0.05)
    with scripted(script) as url:
        got = _ask(client, _endpoint(url, concurrency=32, attempts=8), _asks(200))
        stats = _stats(url)
    assert not got.failures
    assert sorted(reply.id for reply in got.replies) == sorted(ask.id for ask in _asks(200))
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
    with scripted(_echo(faults={fault: 1.0}, retry_after_s=0)) as url:
        got = _ask(client, _endpoint(url, attempts=2, timeout_s=0.3), _asks(2))
        stats = _stats(url)
    assert sorted((name, why, attempts) for name, why, attempts, _ in got.failures) == [
        ("row 0", reason, 2),
        ("row 1", reason, 2),
    ]
    assert all(text for _, _, _, text in got.failures)
    assert stats["total"] == 4
    assert client.stats().failures == 2


def test_retry_after_is_honoured(client: Client) -> None:
    with scripted(_echo(faults={"status_429": 1.0}, retry_after_s=1)) as url:
        start = time.monotonic()
        _ask(client, _endpoint(url, attempts=2), _asks(1))
        assert time.monotonic() - start >= 1


@pytest.mark.parametrize("calls", [1, 3])
def test_concurrency_is_kept_and_shared_by_all_calls(client: Client, calls: int) -> None:
    with scripted(_echo(_latency(0.01))) as url:
        endpoint = _endpoint(url, concurrency=8)
        threads = [
            threading.Thread(target=_ask, args=(client, endpoint, _asks(120 // calls, f"call {number}")))
            for number in range(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = _stats(url)
    assert stats["most_in_flight"] == 8
    assert stats["distinct"] == stats["total"] == 120


def test_no_barrier_at_a_calls_end(client: Client) -> None:
    """The slots that a call's last slow ask leaves free serve the next call."""
    order: list[str] = []
    script = Script(behaviour="echo", models={"slow": _latency(1.0), "m": _latency(0.0)})
    with scripted(script) as url:
        slow = _endpoint(url, concurrency=2, model="slow")
        thread = threading.Thread(
            target=client.ask_all, args=(slow, _asks(1, "slow"), lambda reply: order.append(reply.model), Got().fail)
        )
        thread.start()
        while _stats(url)["in_flight"] < 1:
            time.sleep(0.01)
        client.ask_all(
            _endpoint(url, concurrency=2), _asks(20), lambda reply: order.append(reply.model), Got().fail
        )
        thread.join(_PATIENCE_S)
    assert order == ["m"] * 20 + ["slow"]


def test_asks_are_taken_as_slots_become_free(client: Client) -> None:
    taken: list[str] = []
    most_ahead = 0

    def asks() -> Iterator[Ask]:
        nonlocal most_ahead
        for ask in _asks(100):
            taken.append(ask.id)
            most_ahead = max(most_ahead, len(taken) - len(got.replies))
            yield ask

    got = Got()
    with scripted(_echo()) as url:
        client.ask_all(_endpoint(url, concurrency=4), asks(), got.replies.append, got.fail)
    assert len(got.replies) == 100
    assert most_ahead <= 4


def test_work_goes_to_the_replica_that_is_free(client: Client) -> None:
    with scripted(_echo(_latency(0.002))) as fast, scripted(_echo(_latency(0.05))) as slow:
        got = _ask(client, _endpoint(fast, slow, concurrency=4), _asks(200))
        asked = _stats(fast)["total"], _stats(slow)["total"]
    assert len(got.replies) == sum(asked) == 200
    assert asked[0] > 2 * asked[1] > 0


def test_few_asks_are_spread_over_replicas(client: Client) -> None:
    with scripted(_echo(_latency(0.05))) as one, scripted(_echo(_latency(0.05))) as two:
        _ask(client, _endpoint(one, two, concurrency=8), _asks(4))
        assert (_stats(one)["total"], _stats(two)["total"]) == (2, 2)


def test_a_dead_replica_costs_no_row_an_attempt(client: Client) -> None:
    dead = f"http://127.0.0.1:{_free_port()}/v1"
    with scripted(_echo(_latency(0.002))) as url:
        got = _ask(client, _endpoint(dead, url, concurrency=4, attempts=1), _asks(200))
    assert (len(got.replies), got.failures) == (200, [])


def test_a_server_that_is_gone_ends_the_call_soon(client: Client) -> None:
    start = time.monotonic()
    with pytest.raises(WorldError, match=r"m does not answer at http://127\.0\.0\.1"):
        _ask(client, _endpoint(f"http://127.0.0.1:{_free_port()}/v1", concurrency=64, attempts=1), _asks(5000))
    assert time.monotonic() - start < 10


def test_a_server_that_comes_back_is_used_again(client: Client) -> None:
    port = _free_port()
    got = Got()
    endpoint = _endpoint(f"http://127.0.0.1:{port}/v1", attempts=2)
    thread = threading.Thread(target=client.ask_all, args=(endpoint, _asks(20), got.replies.append, got.fail))
    thread.start()
    with scripted(_echo(), port=port):
        thread.join(_PATIENCE_S)
    assert (len(got.replies), got.failures) == (20, [])


def test_a_server_that_fails_everything_is_down(client: Client) -> None:
    with scripted(_echo(faults={"status_500": 1.0})) as url, pytest.raises(WorldError, match="does not answer"):
        _ask(client, _endpoint(url, concurrency=2, attempts=1), _asks(5000))


def test_a_refusal_ends_the_call_at_once_and_never_shows_the_key(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(_echo()) as url:
        with pytest.raises(DataError, match=r"http://127\.0\.0\.1:\d+/v1/chat/completions.*nobody.*404.*nobody"):
            _ask(client, _endpoint(url, model="nobody"), _asks(50))
        assert _stats(url)["total"] == 0
    monkeypatch.setenv("NIGHTSCHOOL_API_KEY", "right")
    monkeypatch.setenv("OUR_KEY", "wrong-key")
    with scripted(_echo()) as url, pytest.raises(DataError, match="401") as refusal:
        _ask(client, _endpoint(url, key_env="OUR_KEY"), _asks(50))
    assert "wrong-key" not in str(refusal.value)
    monkeypatch.setenv("OUR_KEY", "right")
    with scripted(_echo()) as url:
        assert len(_ask(client, _endpoint(url, key_env="OUR_KEY"), _asks(5)).replies) == 5


def test_a_key_that_is_not_set_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUR_KEY", raising=False)
    with pytest.raises(RecipeError, match="OUR_KEY"):
        _ask(client, _endpoint("http://127.0.0.1:1/v1", key_env="OUR_KEY"), _asks(1))


def test_what_the_callers_callback_raises_ends_that_call_alone(client: Client) -> None:
    def full(_: Reply) -> None:
        raise OSError("no space left")

    other = Got()
    with scripted(_echo(_latency(0.005))) as url:
        endpoint = _endpoint(url, concurrency=4)
        thread = threading.Thread(target=client.ask_all, args=(endpoint, _asks(100), other.replies.append, other.fail))
        thread.start()
        with pytest.raises(OSError, match="no space left"):
            client.ask_all(endpoint, _asks(100, "mine"), full, other.fail)
        thread.join(_PATIENCE_S)
    assert len(other.replies) == 100


def test_what_the_callers_iterator_raises_ends_the_call(client: Client) -> None:
    def asks() -> Iterator[Ask]:
        yield from _asks(10)
        raise ValueError("no more")

    got = Got()
    with scripted(_echo()) as url, pytest.raises(ValueError, match="no more"):
        client.ask_all(_endpoint(url), asks(), got.replies.append, got.fail)
    assert len(got.replies) == 10


def test_no_asks_is_no_work(client: Client) -> None:
    assert _ask(client, _endpoint("http://127.0.0.1:1/v1"), _asks(0)).replies == []


def test_closing_ends_a_call_that_waits() -> None:
    client, errors = Client(), []

    def wait(endpoint: Endpoint) -> None:
        try:
            _ask(client, endpoint, _asks(5))
        except WorldError as error:
            errors.append(error)

    with scripted(_echo(faults={"hang": 1.0})) as url:
        thread = threading.Thread(target=wait, args=(_endpoint(url),))
        thread.start()
        while _stats(url)["in_flight"] < 5:
            time.sleep(0.01)
        client.close()
        thread.join(_PATIENCE_S)
    assert len(errors) == 1


def test_a_caller_that_is_interrupted_leaves_nothing_going(client: Client) -> None:
    """Prefect ends a task that is out of time by raising in its thread."""
    got, ended = Got(), threading.Event()

    def call(endpoint: Endpoint) -> None:
        try:
            client.ask_all(endpoint, _asks(1000), got.replies.append, got.fail)
        except InterruptedError:
            ended.set()

    with scripted(_echo(_latency(0.05))) as url:
        thread = threading.Thread(target=call, args=(_endpoint(url, concurrency=2),))
        thread.start()
        while len(got.replies) < 2:
            time.sleep(0.01)
        assert thread.ident is not None
        interrupt = ctypes.py_object(InterruptedError)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), interrupt)
        assert ended.wait(_PATIENCE_S)
        while _stats(url)["in_flight"]:
            time.sleep(0.01)
        asked, replies = _stats(url)["total"], len(got.replies)
        assert len(_ask(client, _endpoint(url, concurrency=2), _asks(4, "later")).replies) == 4
        assert _stats(url)["total"] == asked + 4
    assert (len(got.replies), got.failures) == (replies, [])


def test_an_endpoint_without_a_url(client: Client) -> None:
    with pytest.raises(RecipeError, match="no URL"):
        _ask(client, _endpoint(), _asks(1))


def test_models(client: Client) -> None:
    with scripted(_echo()) as url:
        assert client.models(_endpoint(url)) == {url: ("m",)}
    with pytest.raises(WorldError, match="no list of models from http://127"):
        client.models(_endpoint(f"http://127.0.0.1:{_free_port()}/v1"))
