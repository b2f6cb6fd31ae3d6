"""Timed requests against a server whose delays are known."""

from __future__ import annotations

import pytest

from blocks.chat import request_body
from blocks.client import client
from blocks.connection import Answer, NoAnswer
from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from blocks.streamed import plain, stream
from nightschool.errors import Stopped
from nightschool.timing import Heard, hear
from tests.blocks.client_asks import asks, counted, echo, endpoint_of

FIRST_S, TOKEN_S, WORDS = 0.06, 0.03, "one two three four five"
SLOW = Script(
    behaviour="text",
    text=WORDS,
    models={"m": ScriptedModel.model_validate({"latency_s": {"mean": FIRST_S}, "token_s": TOKEN_S})},
)


def bodies(count: int, *, streamed: bool = True) -> list[bytes]:
    return [request_body(ask, "m", stream=streamed) for ask in asks(count)]


def heard(answer: Answer | NoAnswer, sent: float) -> Heard:
    assert isinstance(answer, Answer)
    return hear(answer.body, answer.arrived, sent)


def test_a_server_is_timed_as_slow_as_it_is() -> None:
    with scripted(SLOW) as url:
        run = stream(endpoint_of(url), [bodies(3), bodies(1)])
    assert len(run.replies) == 4
    for one in run.replies:
        found = heard(one.answer, one.sent)
        assert found.ttft_s is not None
        # A timer of asyncio's may be a clock's tick early.
        assert found.ttft_s > 0.98 * FIRST_S
        assert len(found.itl_s) == 4
        assert found.e2el_s > 0.98 * (FIRST_S + 4 * TOKEN_S)
        assert found.tokens_out == 5
    sent = [one.sent for one in run.replies]
    first = max(at for one in run.replies[:3] if isinstance(one.answer, Answer) for at, _ in one.answer.arrived)
    assert max(sent[:3]) < first < sent[3], "a batch is put at once, and the next when its last reply is whole"
    assert run.total_s > 0.98 * 2 * (FIRST_S + 4 * TOKEN_S)


def test_a_plain_request_is_whole_and_of_no_client_of_ours() -> None:
    with scripted(SLOW) as url:
        run = plain(endpoint_of(url), bodies(2, streamed=False))
    found = [heard(one.answer, one.sent) for one in run.replies]
    assert all(one.ttft_s is None and one.e2el_s > 0.98 * FIRST_S for one in found)
    assert [one.tokens_out for one in found] == [5, 5]


def test_trouble_of_the_worlds_is_asked_again_and_counts_the_attempt_that_came_through() -> None:
    faults = {"status_500": 0.2, "reset": 0.1}
    with scripted(echo(faults=faults)) as url:
        run = stream(endpoint_of(url, attempts=20), [bodies(8)] * 2)
        assert counted(url)["total"] == sum(one.attempts for one in run.replies)
    assert all(isinstance(one.answer, Answer) and one.answer.status == 200 for one in run.replies)
    assert max(one.attempts for one in run.replies) > 1


def test_who_is_late_is_not_asked_again_and_who_is_away_says_so() -> None:
    with scripted(echo(faults={"hang": 1.0})) as url:
        late = stream(endpoint_of(url, timeout_s=0.1), [bodies(1)]).replies[0]
        plainly = plain(endpoint_of(url, timeout_s=0.1), bodies(1, streamed=False)).replies[0]
    assert isinstance(late.answer, NoAnswer)
    assert late.answer.late
    assert late.attempts == 1
    assert isinstance(plainly.answer, NoAnswer)
    away = stream(endpoint_of(url, attempts=2), [bodies(1)]).replies[0]
    assert isinstance(away.answer, NoAnswer)
    assert not away.answer.reached
    assert away.attempts == 2


def test_a_night_that_is_told_to_end_asks_no_further_batch() -> None:
    with scripted(SLOW) as url:
        client().drain(1.0)
        try:
            with pytest.raises(Stopped):
                stream(endpoint_of(url), [bodies(1)])
            with pytest.raises(Stopped):
                plain(endpoint_of(url), bodies(1))
        finally:
            client().resume()
