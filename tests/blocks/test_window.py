"""How many requests a server may have in flight, given how the last ones ended."""

from __future__ import annotations

import random

import pytest

from blocks import window
from blocks.window import Reach, Window


class Clock:
    """Moves on by one reply's time at each end of a request, as the server's rate has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(window.time, "monotonic", lambda: self.now)

    def ends(self, one: Window, count: int, *, per_s: float, pushed_back: bool = False) -> None:
        for _ in range(count):
            self.now += 1 / per_s
            one.note(pushed_back=pushed_back)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_it_starts_at_the_cap_and_stays_there_while_all_goes_well(clock: Clock) -> None:
    one = Window(64)
    clock.ends(one, 1000, per_s=100)
    assert one.requests == 64


def test_it_halves_at_most_and_never_ends(clock: Clock) -> None:
    one = Window(64)
    clock.ends(one, 64, per_s=100, pushed_back=True)
    assert one.requests == 32
    clock.ends(one, 1000, per_s=100, pushed_back=True)
    assert one.requests == 1


def test_it_grows_again_while_that_brings_more(clock: Clock) -> None:
    one = Window(64)
    clock.ends(one, 500, per_s=100, pushed_back=True)
    for _ in range(30):
        clock.ends(one, one.requests, per_s=10 * one.requests)
    assert one.requests == 64


def test_it_does_not_grow_where_the_server_gives_no_more(clock: Clock) -> None:
    one = Window(64)
    clock.ends(one, 500, per_s=100, pushed_back=True)
    for _ in range(20):
        clock.ends(one, one.requests, per_s=100)
    assert one.requests < 16


def test_a_few_refusals_are_noise(clock: Clock) -> None:
    one = Window(64)
    for _ in range(100):
        clock.ends(one, 19, per_s=100)
        clock.ends(one, 1, per_s=100, pushed_back=True)
    assert one.requests == 64


def test_a_server_that_pushes_back_however_little_it_is_asked_is_asked_as_before(clock: Clock) -> None:
    one, draw, sizes = Window(32), random.Random(0).random, []
    for _ in range(4000):
        clock.ends(one, 1, per_s=10 * one.requests, pushed_back=draw() < 0.15)
        sizes.append(one.requests)
    assert sum(sizes[400:]) / len(sizes[400:]) > 28


@pytest.mark.parametrize("places", [20, 10, 3])
def test_a_server_with_too_few_places_is_asked_for_as_many(clock: Clock, places: int) -> None:
    one, draw, sizes = Window(32), random.Random(0).random, []
    for _ in range(4000):
        # What ends now was sent a while ago, under the window of then.
        then = sizes[-one.requests] if len(sizes) > 32 else 32
        clock.ends(one, 1, per_s=10 * min(places, one.requests), pushed_back=draw() > places / then)
        sizes.append(one.requests)
    assert sum(sizes[400:]) / len(sizes[400:]) < 1.25 * places + 1


@pytest.mark.parametrize(
    ("places", "most", "found"), [(20, 512, 32), (100, 512, 128), (10_000, 512, 512), (200, 48, 48)]
)
def test_a_cap_that_nobody_set_grows_as_far_as_the_server_gives_more(
    clock: Clock, places: int, most: int, found: int
) -> None:
    one = Window(32, Reach(most))
    for _ in range(20):
        clock.ends(one, 2 * one.requests, per_s=10 * min(places, one.requests))
    assert one.requests == found


def test_a_cap_grows_neither_while_work_is_short_nor_into_a_server_that_pushes_back(clock: Clock) -> None:
    one = Window(32, Reach(512))
    for _ in range(4000):
        clock.now += 0.01
        one.note(pushed_back=False, full=False)
    assert one.requests == 32
    tried = 0
    for _ in range(4000):
        clock.ends(one, 1, per_s=10 * one.requests, pushed_back=one.requests > 40)
        tried = max(tried, one.requests)
    assert tried == 64
    assert one.requests == 32
