"""Sampling: the rule that turns logits and a uniform number into a token."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.embedded.sampling import choose, uniforms


def _choose(logits: list[list[float]], temperature: float, top_p: float, uniform: float) -> list[int]:
    rows = len(logits)
    return choose(
        torch.tensor(logits),
        torch.full((rows,), temperature),
        torch.full((rows,), top_p),
        torch.full((rows,), uniform, dtype=torch.float64),
    ).tolist()


def test_temperature_0_takes_the_likeliest() -> None:
    assert _choose([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]], 0.0, 1.0, 0.999) == [1, 0]


def test_greedy_and_sampled_rows_ride_together() -> None:
    logits = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    chosen = choose(logits, torch.tensor([0.0, 1.0]), torch.ones(2), torch.tensor([0.999, 0.999], dtype=torch.float64))
    assert chosen.tolist() == [1, 2]


def test_tokens_come_as_often_as_their_probability_says() -> None:
    probs = torch.tensor([0.1, 0.2, 0.7])
    grid = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    chosen = choose(probs.log().expand(1000, -1), torch.ones(1000), torch.ones(1000), grid)
    assert chosen.bincount().tolist() == [100, 200, 700]


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    logits = [np.log([0.1, 0.3, 0.6]).tolist()]
    assert {_choose(logits, 1.0, 0.5, u / 50)[0] for u in range(50)} == {2}
    assert {_choose(logits, 1.0, 0.61, u / 50)[0] for u in range(50)} == {1, 2}


@settings(max_examples=50)
@given(
    st.lists(st.one_of(st.floats(-30, 30), st.just(float("-inf"))), min_size=2, max_size=8).filter(
        lambda row: max(row) > -31
    ),
    st.floats(0.05, 3),
    st.floats(0.01, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_a_forbidden_token_is_never_chosen(row: list[float], temperature: float, top_p: float, uniform: float) -> None:
    assert row[_choose([row], temperature, top_p, uniform)[0]] > float("-inf")


def test_each_sample_has_numbers_of_its_own_that_a_seed_repeats() -> None:
    first = uniforms(7, 0, 16)
    assert first.shape == (2, 16)
    assert (first == uniforms(7, 0, 64)[:, :16]).all()
    others = [uniforms(7, 1, 16), uniforms(8, 0, 16), uniforms(-1, 0, 16)]
    assert all((first != other).all() for other in others)
