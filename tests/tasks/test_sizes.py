"""Chunks sized by minutes: measured once, and never renamed by a rate that changes."""

from __future__ import annotations

import pytest

from nightschool.chunks import Chunk
from nightschool.records import Dropped
from tasks.night import Night
from tests.half_night import Make


def measured(night: Night, index: int, *, rows: int, seconds: float, teacher: str = "alba") -> None:
    """A chunk of answers as an earlier night left it."""
    chunk = Chunk("answers", "earlier", index, index, "answers")
    figures = {"seconds": seconds, "part": teacher}
    night.store.commit(
        chunk, rows=[Dropped(id=str(row), reason="") for row in range(rows)], dropped=[], figures=figures
    )


def rows_of(night: Night) -> int:
    return night.recipe.answers.chunk_rows


def test_minutes_become_rows_by_what_this_store_measured(make: Make) -> None:
    by_time = "answers.chunk_minutes=2"
    assert rows_of(make(by_time)) == rows_of(make()), "nothing was measured yet"
    for index in range(3):
        measured(make(), index, rows=30, seconds=10)
    measured(make(), 3, rows=30, seconds=0.01, teacher="of-another-recipe")
    assert rows_of(make(by_time)) == 360
    assert rows_of(make("answers.chunk_minutes=0.001")) == 1
    assert rows_of(make()) == 8


def test_a_choice_once_made_stays(make: Make) -> None:
    by_time = "answers.chunk_minutes=2"
    measured(make(), 0, rows=30, seconds=10)
    begun = make(by_time)
    begun.begin()
    for index in range(1, 9):
        measured(begun, index, rows=90, seconds=10)
    assert make(by_time).keys == begun.keys
    assert make(by_time, name="another").keys == begun.keys
    assert make("answers.chunk_rows=360").keys == begun.keys, "minutes are no identity, the rows that follow are"
    assert Night.open(begun.store.place, begun.name).stamp == begun.stamp
    assert rows_of(make("answers.chunk_minutes=1")) == pytest.approx(540, rel=0.1)


def test_what_was_begun_before_anything_was_measured_stays_and_what_comes_later_goes_by_minutes(make: Make) -> None:
    by_time = "answers.chunk_minutes=2"
    first = make(by_time)
    first.begin()
    first.store.commit(Chunk("answers", first.keys["answers/alba"], 0, 0, "answers"), rows=[], dropped=[], figures={})
    measured(first, 1, rows=30, seconds=10)
    assert make(by_time).keys == first.keys
    make(by_time).begin()
    later = make(by_time, "answers.temperature=0.1")
    assert rows_of(later) == 360
    later.begin()
    assert make(by_time).keys == first.keys
