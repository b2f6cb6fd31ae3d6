"""No teacher's reply is paid for twice: what was asked for other chunks, or under another key, is found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.client import client
from nightschool.records import Answer, Question
from tasks import answers, pool
from tasks.night import Night
from tasks.redo import ask_again, forget
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


def ids(night: Night) -> set[str]:
    return {row.id for row in night.rows(pool.chunks(night), Question)}


def whole(night: Night) -> None:
    """Every teacher has answered every question once, in the pool's order."""
    asked = [row.id for row in night.rows(pool.chunks(night), Question)]
    for teacher in ("alba", "bruno"):
        chunks = [chunk for chunk in answers.chunks(night) if chunk.part == teacher]
        assert [row.id for row in night.rows(chunks, Answer)] == asked


def test_holes_in_questions_that_are_filled_later_cost_the_answers_to_new_questions_only(make: Make) -> None:
    night = make()
    failing = {"models": {"alba": {"accuracy": 0.9}, "bruno": {"accuracy": 0.8}}, "fault_by": "row"}
    with serving(attempts=1, **failing, faults={"status_500": 0.3}) as served:
        fill(night, served, "questions")
    with serving() as served:
        fill(night, served)
        before, sent = ids(night), client().stats().sent
        holes = ask_again(night, None, None)["questions"]
        assert holes
        fill(night, served)
        new = ids(night) - before
        assert new
        assert client().stats().sent - sent == holes + 2 * len(new)
    whole(night)


@pytest.mark.parametrize("change", ["answers.chunk_rows=5", "pool.per_topic=6", "topics=[series, seating]"])
def test_another_layout_or_more_rows_cost_new_rows_only(make: Make, change: str) -> None:
    with serving() as served:
        night = make("questions=null")
        fill(night, served, "pool", "answers")
        before, sent = ids(night), client().stats().sent
        other = make("questions=null", change)
        fill(other, served, "pool", "answers")
        assert other.keys["answers/alba"] != night.keys["answers/alba"]
        assert client().stats().sent - sent == 2 * len(ids(other) - before)
    whole(other)


def test_a_prompt_that_comes_back_is_not_paid_for_again_and_another_is(make: Make, tmp_path: Path) -> None:
    with serving() as served:
        fill(make("questions=null"), served, "pool", "answers")
        old = (tmp_path / "answers.txt").read_text("utf-8")
        (tmp_path / "answers.txt").write_text(f"{old}Think.\n", "utf-8")
        night = make("questions=null", "answers.chunk_rows=5")
        sent = client().stats().sent
        fill(night, served, "pool", "answers")
        assert client().stats().sent - sent == 2 * len(ids(night))
        (tmp_path / "answers.txt").write_text(old, "utf-8")
        fill(make("questions=null", "answers.chunk_rows=5"), served, "pool", "answers")
        assert client().stats().sent - sent == 2 * len(ids(night))


def test_an_interrupted_chunk_goes_on_with_both_its_own_and_earlier_replies(make: Make) -> None:
    with serving() as served:
        fill(make("questions=null"), served, "pool", "answers")
        night = make("questions=null", "answers.chunk_rows=11", "pool.per_topic=8")
        fill(night, served, "pool", "answers")
        sent = client().stats().sent
        for chunk in answers.chunks(night):
            night.store.path(chunk, "manifest.json").unlink()
        fill(night, served, "answers")
    assert client().stats().sent == sent
    whole(night)


def test_what_is_to_be_made_anew_is_paid_anew_though_earlier_replies_are_there(make: Make) -> None:
    with serving() as served:
        fill(make("questions=null"), served, "pool", "answers")
        night = make("questions=null", "answers.chunk_rows=5")
        fill(night, served, "pool", "answers")
        sent = client().stats().sent
        forget(night, "answers", 0)
        fill(night, served, "answers")
        assert client().stats().sent - sent == answers.chunks(night)[0].rows
        fill(make("questions=null", "answers.chunk_rows=7"), served, "pool", "answers")
        assert client().stats().sent - sent == answers.chunks(night)[0].rows
