"""Two machines at one night: what one of them has paid for, the other reads."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from blocks import places
from blocks.client import client
from nightschool.errors import RecipeError
from nightschool.records import Answer
from tasks import answers
from tasks.night import Night, opened
from tasks.rows import lines
from tasks.status import status
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


@pytest.fixture
def place() -> str:
    return f"memory://{uuid.uuid4().hex}"


def test_a_second_machine_goes_on_where_the_first_stopped(
    make: Make, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "WORK", tmp_path / "one")
    night = make(f"store={place}")
    with serving() as served:
        fill(night, served)
        asked = client().stats().sent
        monkeypatch.setattr(places, "WORK", tmp_path / "two")
        opened.cache_clear()
        fill(make(f"store={place}"), served)
    assert client().stats().sent == asked
    again = Night.open(place, night.name)
    assert again.store.root.is_relative_to(tmp_path / "two")
    assert again.keys == night.keys
    assert again.rows(answers.chunks(again), Answer) == night.rows(answers.chunks(night), Answer)
    assert len(list(lines(again, "answers", 0, dropped=False))) == answers.chunks(night)[0].rows
    found = next(one for one in status(again).phases if one.phase == "answers")
    assert {chunk.state for chunk in found.chunks} == {"made"}


def test_a_night_that_nobody_began_is_not_there(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "WORK", tmp_path)
    with pytest.raises(RecipeError, match="no such night in this store"):
        Night.open(place, "nobodys")
