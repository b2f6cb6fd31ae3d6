"""Rows that did not make it: on file with their reason, asked again alone, never at the price of a good reply."""

from __future__ import annotations

import pytest

from blocks.client import client
from blocks.journal import replies
from nightschool.errors import RecipeError
from nightschool.records import Answer
from tasks import answers, committee, questions
from tasks.failures import failed_rows, losses
from tasks.night import Night
from tasks.redo import ask_again
from tasks.status import status
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


def sent() -> int:
    return client().stats().sent


def answered(night: Night) -> set[tuple[str, str]]:
    return {(row.teacher, row.id) for row in night.rows(answers.chunks(night), Answer)}


def fill_with_gaps(night: Night) -> None:
    with serving() as served:
        fill(night, served, "questions", "pool")
    with serving(fault_by="row", faults={"status_500": 0.2, "reset": 0.1}, attempts=2) as served:
        fill(night, served, "answers")


def test_every_row_without_a_reply_is_on_file(make: Make) -> None:
    night = make()
    fill_with_gaps(night)
    lost = list(losses(night))
    asked = sum(chunk.rows for chunk in answers.chunks(night))
    failed = [row for row in lost if row.failed]
    assert len(failed) + len(answered(night)) == asked
    assert {row.reason for row in failed} == {"server_error", "no_reply"}
    assert all(row.attempts == 2 and row.phase == "answers" and row.topic for row in failed)
    assert failed_rows([manifest for _, manifest in night.made(answers.chunks(night))]) == len(failed)
    assert list(losses(night, reason="no_reply")) == [row for row in lost if row.reason == "no_reply"]
    [phase] = status(night, "answers").phases
    assert sum(chunk.failed for chunk in phase.chunks) == len(failed)
    assert {chunk.state for chunk in phase.chunks} == {"made", "gaps"}


def test_only_failed_rows_are_asked_again_and_what_follows_is_made_if_rows_came(make: Make) -> None:
    night = make()
    fill_with_gaps(night)
    fill(night, {}, "committee")
    before, good = sent(), answered(night)
    failed = sum(row.failed for row in losses(night, "answers"))
    assert ask_again(night, None, None) == {"answers": failed}
    with serving() as served:
        fill(night, served, "answers")
    assert sent() - before == failed
    assert good < answered(night)
    assert len(answered(night)) == sum(chunk.rows for chunk in answers.chunks(night))
    assert not any(row.failed for row in losses(night))
    assert not night.made(committee.chunks(night)), "it was made of fewer answers"


def test_rows_that_fail_again_change_nothing_after_them(make: Make) -> None:
    night = make()
    fill_with_gaps(night)
    fill(night, {}, "committee")
    assert ask_again(night, "answers", "server_error")
    with serving(fault_by="row", faults={"status_500": 1.0}) as served:
        fill(night, served, "answers")
    assert {row.attempts for row in losses(night, "answers", "server_error")} == {1}, "asked again, in one attempt"
    assert night.made(committee.chunks(night))


def test_a_judged_reply_is_given_up_only_when_its_reason_is_named(make: Make) -> None:
    night = make()
    with serving(faults={"truncated": 0.5}) as served:
        fill(night, served, "questions")
    judged = [row for row in losses(night, "questions") if row.reason == "truncated"]
    assert judged
    assert all(not row.failed and row.attempts > 1 and row.text for row in judged)
    assert ask_again(night, None, None) == {}
    assert ask_again(night, "questions", "truncated") == {"questions": len(judged)}
    before = sent()
    with serving() as served:
        fill(night, served, "questions")
    assert sent() - before == len(judged)
    assert not list(losses(night, "questions", "truncated"))
    on_file = [{reply.id for reply in replies(night.store.journal(chunk))} for chunk in questions.chunks(night)]
    assert sum(map(len, on_file)) == sum(chunk.rows for chunk in questions.chunks(night))


def test_a_reason_that_no_row_has_is_answered_with_those_there_are(make: Make) -> None:
    night = make()
    fill_with_gaps(night)
    with pytest.raises(RecipeError, match=r"allowed: .*no_reply, server_error"):
        ask_again(night, "answers", "no_repyl")


def test_later_phases_say_why_they_dropped_a_row_too(make: Make) -> None:
    night = make("balance.by=[answer]", "balance.max_rows=1")
    fill_with_gaps(night)
    fill(night, {}, "committee", "balance")
    reasons = {(row.phase, row.reason) for row in losses(night) if not row.failed}
    assert ("balance", "over_share") in reasons
    assert any(phase == "committee" for phase, _ in reasons)
