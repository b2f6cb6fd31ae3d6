"""Splits: a question has one side, whoever asks it and whatever lies beside it."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import DataError
from nightschool.mended import Mended
from nightschool.splits import hold, side_of
from tests.nightschool.choosing import ruling

TEXTS = st.text(min_size=1, max_size=60)


@given(TEXTS, st.floats(0, 0.45), st.floats(0, 0.5))
def test_a_larger_test_set_takes_in_the_smaller_one(text: str, test: float, validation: float) -> None:
    small = side_of(text, validation=validation, test=test / 2)
    large = side_of(text, validation=validation, test=test)
    assert small != "test" or large == "test"


@given(st.lists(TEXTS, max_size=20), st.lists(TEXTS, max_size=20), st.randoms())
def test_rows_that_are_added_move_nobody(before: list[str], more: list[str], rng: random.Random) -> None:
    def sides(texts: list[str]) -> dict[str, str]:
        return {text: side_of(text, validation=0.2, test=0.2, salt="s") for text in texts}

    assert sides(before).items() <= sides(rng.sample([*before, *more], len(before) + len(more))).items()


@pytest.mark.parametrize(
    "same", ["What  is 3 + 4?", "what is 3+4", "WHAT IS \uff13 + \uff14 ?", "What is \u201c3 + 4\u201d?"]
)
def test_spelling_that_means_nothing_does_not_move_a_question(same: str) -> None:
    assert side_of(same, validation=0.3, test=0.3) == side_of("What is 3 + 4?", validation=0.3, test=0.3)


def test_every_stratum_has_the_shares_up_to_chance() -> None:
    for stratum in ("level 1", "level 5", "a rare one"):
        sides = Counter(side_of(f"{stratum}: question {n}", validation=0.1, test=0.1) for n in range(5000))
        for side, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert sides[side] / 5000 == pytest.approx(share, abs=4 * (share * (1 - share) / 5000) ** 0.5)


def test_another_salt_is_another_split() -> None:
    sides = [side_of(f"question {n}", validation=0.2, test=0.2) for n in range(50)]
    assert sides != [side_of(f"question {n}", validation=0.2, test=0.2, salt="b") for n in range(50)]
    assert sides == [side_of(f"question {n}", validation=0.2, test=0.2) for n in range(50)]


def test_a_row_on_the_wrong_side_is_a_leak_and_so_is_a_copy_of_a_held_out_one() -> None:
    rows = [ruling(n, "A", text=f"question {n}") for n in range(40)]
    rows = [row.model_copy(update={"side": side_of(row.question.question, validation=0.2, test=0.2)}) for row in rows]
    hold(rows, validation=0.2, test=0.2)
    held = next(row for row in rows if row.side == "test")
    with pytest.raises(DataError, match=r"lies in train and its question in test"):
        hold([held.model_copy(update={"side": "train"})], validation=0.2, test=0.2)
    with pytest.raises(DataError):
        hold([held.model_copy(update={"mended": Mended(source=held.id)})], validation=0.2, test=0.2)
