"""A store made smaller: old nights go with what only they need, and the ones that stay are whole afterwards."""

from __future__ import annotations

import os
import time

import pytest

from nightschool.errors import RecipeError
from nightschool.records import Ruling
from tasks import balance
from tasks.clean import look, remove
from tasks.night import Night
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

DAY_S = 86_400
PHASES = ("questions", "pool", "answers", "committee", "filters", "splits", "balance")


def made(make: Make, name: str, *sets: str, days: int) -> Night:
    """A night of this name, and what lies in the store by now as it looks so many days later."""
    night = make("balance.by=[topic]", "filters.length={}", *sets, name=name)
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, *PHASES)
    then = time.time() - days * DAY_S
    for path in night.store.root.rglob("*"):
        if path.stat().st_mtime > then:
            os.utime(path, (then, then))
    return night


def test_an_old_night_goes_and_the_one_that_shares_its_rows_is_whole(make: Make) -> None:
    old = made(make, "old", "balance.max_rows=8", days=50)
    new = make("balance.by=[topic]", "filters.length={}", name="new")
    rows = len(old.rows(balance.out(old), Ruling))
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(new, served, *PHASES)
    place = str(old.store.root)
    choice = look(place, now=time.time(), older_than_days=30, at_most_gb=None)
    assert [one.name for one in choice.nights] == ["old"]
    assert [one.name for one in choice.folders] == [f"balance/{old.keys['balance']}"]
    assert len(old.rows(balance.out(old), Ruling)) == rows, "to look removes nothing"
    assert remove(place, choice) == choice.freed
    assert old.store.nights() == ["new"]
    assert not (old.store.root / "balance" / old.keys["balance"]).exists()
    assert not (old.store.root / ".going").exists()
    # What filters and splits picked lies in the committee's chunks.
    assert len(new.rows(balance.out(new), Ruling)) >= rows
    assert not look(place, now=time.time(), older_than_days=30, at_most_gb=None).nights


def test_a_size_takes_the_oldest_and_a_night_to_keep_stays(make: Make) -> None:
    first = made(make, "first", "seed=8", days=9)
    made(make, "second", days=4)
    place = str(first.store.root)
    everything = look(place, now=time.time(), older_than_days=None, at_most_gb=0)
    assert [one.name for one in everything.nights] == ["first", "second"]
    assert everything.freed == everything.before
    kept = look(place, now=time.time(), older_than_days=None, at_most_gb=0, keep=["first"])
    assert [one.name for one in kept.nights] == ["second"]
    half = look(place, now=time.time(), older_than_days=None, at_most_gb=(everything.before - 1) / 1e9)
    assert [one.name for one in half.nights] == ["first"]


def test_a_night_that_runs_and_what_it_came_to_need_stay(make: Make) -> None:
    night = made(make, "night", days=50)
    place = str(night.store.root)
    choice = look(place, now=time.time(), older_than_days=30, at_most_gb=None)
    with night.alone():
        assert not look(place, now=time.time(), older_than_days=30, at_most_gb=None).nights
        assert remove(place, choice) == 0
    assert night.rows(balance.out(night), Ruling)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"older_than_days": None, "at_most_gb": None}, "--older-than"),
        ({"older_than_days": 1, "at_most_gb": None, "keep": ["nobody"]}, "no such night"),
        ({"older_than_days": 1, "at_most_gb": None, "place": "s3://bucket/nights"}, "machines share it"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Make, given: dict, said: str) -> None:
    place = given.pop("place", str(make().store.root))
    with pytest.raises(RecipeError, match=said):
        look(place, now=time.time(), **given)
