"""A step's rows laid out over processes and time, and when a loss explodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import DataError
from nightschool.recipe.learning import Training
from nightschool.recipe.preference import Scheduled
from nightschool.training.batches import lay_out, mixes_rows
from nightschool.training.explosion import Explosion


def section(batch_size: int, accumulation: int, micro_batch: int | None = None) -> Training:
    return Training(learning_rate=1e-3, batch_size=batch_size, accumulation=accumulation, micro_batch=micro_batch)


@given(st.integers(1, 64), st.integers(1, 8), st.integers(1, 8), st.none() | st.integers(1, 64))
def test_rows_per_step_never_change(batch_size: int, accumulation: int, processes: int, micro: int | None) -> None:
    if batch_size * accumulation % processes:
        with pytest.raises(DataError, match=f"multiple of {processes}"):
            lay_out(section(batch_size, accumulation, micro), processes)
        return
    found = lay_out(section(batch_size, accumulation, micro), processes)
    while True:
        assert found.rows == batch_size * accumulation
        assert 1 <= found.micro <= min(batch_size, micro or batch_size)
        if found.micro == 1:
            break
        smaller = found.halved()
        assert smaller.micro <= found.micro // 2
        found = smaller


@pytest.mark.parametrize(
    ("batch", "processes", "limit", "wanted"),
    [((16, 1), 1, None, (16, 1)), ((16, 2), 2, None, (8, 2)), ((16, 1), 1, 4, (4, 4)), ((12, 1), 1, 5, (4, 3)),
     ((2, 8), 4, None, (1, 4))],
)  # fmt: skip
def test_a_batch_is_shared_before_it_is_cut(
    batch: tuple[int, int], processes: int, limit: int | None, wanted: tuple[int, int]
) -> None:
    found = lay_out(section(*batch), processes, limit)
    assert (found.micro, found.accumulation) == wanted


def test_losses_that_mix_rows_are_known() -> None:
    assert mixes_rows(Scheduled()) is None
    assert mixes_rows(Scheduled(loss=("sigmoid", "aot"))) == "loss: aot"
    late = {"schedule": [{"epochs": 3}, {"epochs": 1, "robust": "both"}]}
    assert mixes_rows(Scheduled.model_validate(late)) == "robust: both"
    assert mixes_rows(Scheduled(cal="center", robust="drop")) == "cal: center"


def steps(losses: list[float], under: str = "", ratio: float | None = 5.0) -> list[int]:
    """The steps, from 1, at which it says stop."""
    found = Explosion(ratio)
    return [number for number, loss in enumerate(losses, start=1) if found(loss, under)]


def test_a_loss_explodes_when_most_of_five_steps_are_far_above_the_first() -> None:
    assert steps([2.0] * 10 + [11.0] * 3) == [13]
    assert steps([2.0] * 10 + [11.0, 2.0, 11.0, 2.0, 2.0, 11.0]) == []
    assert steps([2.0] * 10 + [9.9] * 9) == []
    assert steps([2.0] * 10 + [1e9] * 9, ratio=None) == []
    assert steps([0.001] * 10 + [0.1] * 9) == []


def test_another_loss_is_compared_with_its_own_start() -> None:
    found = Explosion(5.0)
    assert not any(found(0.7, "sigmoid") for _ in range(10))
    assert not any(found(50.0, "paper") for _ in range(10))


def test_a_state_that_may_be_spoilt_is_known_and_kept_over_a_resume() -> None:
    before = Explosion(5.0)
    for loss in [1.0] * 8 + [6.0, 6.0]:
        before(loss, "")
    after = Explosion(5.0)
    after.restore(before.keep())
    assert before.doubtful
    assert after.doubtful
    assert after(6.0, "")


@pytest.mark.parametrize(("losses", "doubtful"), [([1.0, 0.9, 6.0], True), ([6.0, 1.0], False), ([6.0], False)])
def test_so_is_one_that_is_spoilt_in_the_first_steps(losses: list[float], doubtful: bool) -> None:
    found = Explosion(5.0)
    for loss in losses:
        found(loss, "")
    assert found.doubtful == doubtful
