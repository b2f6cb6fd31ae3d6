"""Which replica gets which job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from blocks.backlog import Backlog, Slot
from blocks.call import Call
from nightschool.wire import Ask, Endpoint, Message, Sampling


def call_of(asks: Iterator[Ask]) -> Call:
    return Call(Endpoint(model="m", urls=("u",)), None, asks, lambda reply: None, lambda *_: None)


def asks_on(*documents: str) -> Iterator[Ask]:
    for number, document in enumerate(documents):
        content = "Read this. " * 30 + f"{document} " * 600 + f"Question {number}?"
        messages = (Message(role="user", content=content),)
        yield Ask(id=document, messages=messages, sampling=Sampling(temperature=0, max_tokens=9), seed=number)


def served(backlog: Backlog, replicas: list[int]) -> Iterator[tuple[str, int]]:
    for replica in replicas:
        job = backlog.take(replica, Slot())
        if job is not None:
            yield job.ask.id, replica


def test_prompts_that_begin_alike_go_to_the_replica_that_has_seen_them() -> None:
    backlog = Backlog(2)
    backlog.add(call_of(asks_on(*"aabbccddeeff" * 10)))
    found = Counter(served(backlog, [0, 1] * 60))
    at_home = sum(max(found[document, 0], found[document, 1]) for document in "abcdef")
    assert found.total() == 120
    assert at_home > 100


def test_a_free_replica_takes_what_was_put_aside_for_another() -> None:
    backlog = Backlog(2)
    backlog.add(call_of(asks_on(*"a" * 20)))
    assert len(list(served(backlog, [1] * 10))) == 10
    assert len(list(served(backlog, [0] * 30))) == 10
    assert not backlog


def test_one_replica_looks_no_further_than_it_must() -> None:
    backlog, asks = Backlog(1), asks_on(*"abc")
    backlog.add(call_of(asks))
    list(served(backlog, [0]))
    assert [ask.id for ask in asks] == ["b", "c"]


def test_a_call_that_failed_is_forgotten() -> None:
    backlog, call = Backlog(2), call_of(asks_on(*"abcd"))
    backlog.add(call)
    (first, *_) = [backlog.take(0, Slot())]
    assert first is not None
    call.fail(OSError("full"))
    backlog.drop(call)
    assert not backlog.urgent
    assert not call.done.done()
    call.settle()
    assert call.done.done()
