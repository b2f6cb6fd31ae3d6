"""Limits a minute: whatever is asked and however fast it comes back, no minute holds more than its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from blocks.limits import Meter, Sent
from nightschool.wire import Ask, Reply, Sampling


def ask(max_tokens: int) -> Ask:
    return Ask(id="a", messages=(), sampling=Sampling(temperature=1, max_tokens=max_tokens), seed=1)


def reply(tokens_out: int) -> Reply:
    return Reply(
        id="a", model="m", seed=1, choices=(), tokens_in=0, tokens_out=tokens_out, latency_s=0, attempts=1
    )  # fmt: skip


class Server:
    """Requests as a server counts them: sent as soon as the meter lets them, answered a little later."""

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self.now = 0.0
        self.meter = Meter(requests, tokens, lambda: self.now)
        self.sent: list[Sent] = []

    def send(self, most: int, used: int | None) -> None:
        for _ in range(10_000):
            if not (wait_s := self.meter.pace_s() or self.meter.room_s(b"", ask(most))):
                break
            self.now += wait_s + 1e-6
        else:
            raise AssertionError("it never goes out")
        charged = self.meter.sent(b"", ask(most))
        self.sent.append(Sent(self.now, most if used is None else used))
        self.meter.ended(charged, None if used is None else reply(used))

    def most_in_a_minute(self) -> float:
        return max(
            sum(one.tokens for one in self.sent if start.at <= one.at < start.at + 60) for start in self.sent
        )  # fmt: skip


@given(st.integers(1, 400), st.integers(2, 200))
def test_no_minute_has_more_requests_than_its_limit(limit: int, count: int) -> None:
    server = Server(limit, None)
    for _ in range(count):
        server.send(1, 1)
    assert server.most_in_a_minute() <= limit
    assert server.now <= 61 * (1 + count / limit)


REQUESTS = st.lists(st.tuples(st.integers(1, 900), st.booleans()), min_size=1, max_size=60)


@given(st.integers(900, 5000), REQUESTS)
def test_no_minute_has_more_tokens_than_its_limit(limit: int, requests: list[tuple[int, bool]]) -> None:
    server = Server(None, limit)
    for most, failed in requests:
        server.send(most, None if failed else most // 2)
    assert server.most_in_a_minute() <= limit


def test_a_request_of_more_than_a_minutes_worth_has_one_of_its_own() -> None:
    server = Server(None, 100)
    for most in (50, 250, 50):
        server.send(most, most)
    first, second, third = (one.at for one in server.sent)
    assert second - first >= 60
    assert third - second >= 60
