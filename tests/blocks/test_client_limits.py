"""The client under limits: of the server, of the endpoint, of money; and servers that give one sample a request."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from blocks.client import Client
from blocks.scripted.local import scripted
from nightschool.errors import BudgetSpent, DataError, WorldError
from nightschool.wire import Ask, Reply, Sampling
from tests.blocks.client_asks import Got, ask_all, asks, counted, echo, endpoint_of, latency

_COLD = Sampling(temperature=0, max_tokens=9)


@pytest.mark.parametrize("several", ["first", "refuse"])
def test_samples_are_asked_one_by_one_where_the_server_gives_one(client: Client, several: str) -> None:
    with scripted(echo(several=several)) as url:
        got = ask_all(client, endpoint_of(url, concurrency=1), asks(20, samples=3))
        stats = counted(url)
    # The first row finds out: it is refused, or gets one sample, which counts and is not asked for again here.
    found_out = sum(reply.sample is None for reply in got.replies)
    assert found_out == (1 if several == "first" else 0)
    assert len({(reply.id, reply.sample) for reply in got.replies}) == len(got.replies) == 60 - 2 * found_out
    assert len({reply.seed for reply in got.replies}) == len(got.replies)
    assert stats["total"] == len(got.replies)


def test_a_prompt_that_is_refused_costs_its_own_row(client: Client) -> None:
    def mixed() -> list[Ask]:
        bad = Ask(id="bad", messages=(), sampling=_COLD, seed=1)
        return [*asks(10), bad, *asks(10, "more")]

    got = Got()
    with scripted(echo()) as url:
        client.ask_all(endpoint_of(url, concurrency=2), mixed(), got.replies.append, got.fail)
        assert [(name, reason, attempts) for name, reason, attempts, _ in got.failures] == [("bad", "refused", 1)]
        assert len(got.replies) == 20
        only_bad = (Ask(id=str(n), messages=(), sampling=_COLD, seed=n) for n in range(50))
        with pytest.raises(DataError, match="400"):
            client.ask_all(endpoint_of(url, concurrency=2), only_bad, got.replies.append, got.fail)


def test_a_server_that_holds_fewer_than_allowed_is_asked_less_at_once(client: Client) -> None:
    with scripted(echo(latency(0.01), most_at_once=4)) as url:
        got = ask_all(client, endpoint_of(url, concurrency=64, attempts=20), asks(600))
        stats = counted(url)
        (replica,) = client.replicas()
    assert (len(got.replies), got.failures) == (600, [])
    assert replica.limit < 16
    assert replica.state == "up"
    assert client.stats().retries < 600  # 260, 360 on a busy machine; 1,080 with as many in flight as allowed
    assert stats["answered_again"] == 0


def test_requests_per_minute_are_kept(client: Client) -> None:
    with scripted(echo()) as url:
        start = time.monotonic()
        ask_all(client, endpoint_of(url, requests_per_minute=1200), asks(40))
        # A second's worth, 20, goes out at once.
        assert time.monotonic() - start >= 0.95


def test_tokens_per_minute_are_kept_and_what_was_not_used_is_given_back(client: Client) -> None:
    """Each ask is charged 30 tokens when it goes out (its body, a quarter; 9 to come) and uses 4."""
    with scripted(echo()) as url:
        start = time.monotonic()
        ask_all(client, endpoint_of(url, concurrency=1, tokens_per_minute=6000), asks(75))
        took_s = time.monotonic() - start
    assert 1.9 <= took_s < 10


def test_the_budget_is_never_overspent_and_rows_so_far_are_kept(client: Client, tmp_path: Path) -> None:
    """A token in costs 1, a token out 10: a reply of two words costs 2 + 20."""
    prices = {"price_in": 1e6, "price_out": 10e6}
    got = Got()
    with scripted(echo()) as url:
        endpoint = endpoint_of(url, concurrency=4, budget=1000.0, **prices)
        with pytest.raises(BudgetSpent, match="budget of model m"):
            client.ask_all(endpoint, asks(500), got.replies.append, got.fail)
        spent = sum(reply.tokens_in + 10 * reply.tokens_out for reply in got.replies)
        # The next could have cost its body's bytes and nine tokens.
        assert 1000 - 400 <= spent <= 1000
        assert counted(url)["total"] == len(got.replies)
        with pytest.raises(BudgetSpent):
            client.ask_all(endpoint, asks(1, "later"), got.replies.append, got.fail)
        account = tmp_path / "m.json"
        account.write_text('{"spent_at_most": 700}')
        rerun = endpoint.model_copy(update={"account": str(account)})
        more = Got()
        with Client() as another, pytest.raises(BudgetSpent):
            another.ask_all(rerun, asks(500, "rerun"), more.replies.append, more.fail)
        assert 0 < len(more.replies) < len(got.replies) / 2
        assert json.loads(account.read_text())["spent_at_most"] == pytest.approx(700 + 22 * len(more.replies))
        account.write_text("torn")
        with Client() as another, pytest.raises(DataError, match="what was spent so far cannot be read"):
            another.ask_all(rerun, asks(1), more.replies.append, more.fail)


def test_an_outage_does_not_multiply_requests(client: Client) -> None:
    script = echo(faults={"status_500": 0.9}, retry_after_s=0)
    got = Got()
    with scripted(script) as url:
        endpoint = endpoint_of(url, concurrency=8, attempts=20, retries_per_row=0.5)
        with pytest.raises(WorldError, match="retries_per_row"):
            client.ask_all(endpoint, asks(200), got.replies.append, got.fail)
        assert counted(url)["total"] <= 200 + 50 + 0.5 * 200


def test_what_a_reply_leads_to_is_asked_in_the_same_call(client: Client) -> None:
    got: list[str] = []

    def more(reply: Reply) -> list[Ask]:
        got.append(reply.id)
        return list(asks(2, "again")) if reply.id == "row 0" else []

    with scripted(echo()) as url:
        client.ask_all(endpoint_of(url, concurrency=1), asks(3), more, Got().fail)
    assert got == ["row 0", "again 0", "again 1", "row 1", "row 2"]
