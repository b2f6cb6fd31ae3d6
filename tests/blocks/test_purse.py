"""A budget: never overspent, whatever was in flight when a night was killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.purse import Purse
from nightschool.errors import DataError
from nightschool.wire import Ask, Endpoint, Reply, Sampling

ASK = Ask(id="a", messages=(), sampling=Sampling(temperature=1, max_tokens=9), seed=1)
WORST = 1.0 + 10 * 9  # of one byte


def purse(folder: Path, budget: float = 1000.0) -> Purse:
    endpoint = Endpoint(model="m", urls=(), price_in=1e6, price_out=10e6, account=str(folder / "m.json"))
    return Purse(endpoint, budget)


def reply(tokens_out: int) -> Reply:
    return Reply(id="a", model="m", seed=1, choices=(), tokens_in=1, tokens_out=tokens_out, latency_s=0, attempts=1)


STEPS = st.lists(st.sampled_from(["ask", "answer", "fail", "refuse", "kill", "rest"]), min_size=5, max_size=80)


@given(STEPS)
def test_what_was_really_spent_never_exceeds_the_budget(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("purse")
    mine, really, under_way = purse(folder), 0.0, 0
    for step in steps:
        if step == "ask":
            under_way += mine.hold(b"b", ASK)
        elif step == "kill":  # all that was in flight costs the most that it can
            really, under_way, mine = really + under_way * WORST, 0, purse(folder)
        elif step == "rest":
            mine.rest()
        elif under_way:
            under_way -= 1
            really += {"answer": 21.0, "fail": WORST, "refuse": 0.0}[step]
            mine.settle(b"b", ASK, reply(2) if step == "answer" else None, paid=step != "refuse")
        assert really + under_way * WORST <= 1000
        assert purse(folder).spent >= really + under_way * WORST - 1e-6


def test_a_kill_takes_no_more_than_a_hundredth_beyond_what_was_in_flight(tmp_path: Path) -> None:
    mine = purse(tmp_path)
    for _ in range(5):
        assert mine.hold(b"b", ASK)
        mine.settle(b"b", ASK, reply(2))
    assert mine.hold(b"b", ASK)
    assert 5 * 21 + WORST <= purse(tmp_path).spent <= 5 * 21 + WORST + 10 + 1e-6
    mine.settle(b"b", ASK, reply(2))
    mine.rest()
    assert purse(tmp_path).spent == pytest.approx(6 * 21)


def test_an_account_that_does_not_read_is_named_and_not_taken_for_empty(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b"{")
    with pytest.raises(DataError, match=r"m\.json.*write the bill"):
        purse(tmp_path)
