"""The way back: what a rerun leaves, what it goes on with, and what it makes anew."""

from __future__ import annotations

import pytest

from blocks.client import client
from nightschool.errors import RecipeError
from tasks import answers
from tasks.redo import Ahead, ahead, forget
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


def test_a_whole_chunk_is_left_and_a_cut_off_one_goes_on(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served)
        first, *rest = answers.chunks(night)
        assert ahead(night, "answers", None) == Ahead(len(rest) + 1, 0, 0, 0)
        night.store.path(first, "manifest.json").unlink()
        night.store.path(rest[0], "manifest.json").unlink()
        assert ahead(night, "answers", 0) == Ahead(0, 1, first.rows, 1)
        assert ahead(night, "answers", 2) == Ahead(1, 0, 0, 2)
        before = client().stats().sent
        fill(night, served)
        assert client().stats().sent == before
        assert ahead(night, "answers", 0).whole == 1


def test_what_is_made_anew_is_asked_again(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served)
        assert forget(night, "answers", 0) == 1
        assert ahead(night, "answers", 0) == Ahead(0, 1, 0, 0)
        before = client().stats().sent
        fill(night, served)
    assert client().stats().sent - before == answers.chunks(night)[0].rows


@pytest.mark.parametrize(("phase", "chunk", "said"), [("answer", None, "no such phase"), ("answers", 99, "0 to 5")])
def test_what_is_not_there_is_named(make: Make, phase: str, chunk: int | None, said: str) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions", "pool")
    with pytest.raises(RecipeError, match=said):
        ahead(night, phase, chunk)
