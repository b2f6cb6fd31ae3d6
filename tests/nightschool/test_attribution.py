"""Shares of attribution: their means, own drafts against others', and what could not be told."""

from __future__ import annotations

import pytest

from nightschool.report.attribution import measure_attribution
from nightschool.training.attribute_job import MARK, Attributed, AttributeRow
from nightschool.wire import Message


def row(number: int, share: float, of: str = "own", **other: object) -> Attributed:
    return Attributed.model_validate(
        {"id": f"q{number}", "of": of, "share": share, "tokens": 0.4, "moved": 1.0, "error": 0.01, "steps": 16, **other}
    )


def test_own_drafts_are_held_against_others_question_by_question() -> None:
    own, shuffled = [row(n, 0.5 + n / 100) for n in range(20)], [row(n, 0.3 + n / 100, "shuffled") for n in range(20)]
    lost = [row(20, 0, lost="no_draft"), row(21, 0, "shuffled", lost="incomplete", error=0.2, steps=1024)]
    found = measure_attribution([*own, *shuffled, *lost, row(22, 0.9, "shuffled", steps=64, error=0.04)])
    assert found is not None
    assert (found.questions, found.steps, found.worst) == (20, 64, 0.04)
    assert found.apart is not None
    assert found.apart.value == pytest.approx(0.2)
    assert found.apart.significant
    assert (found.complete.n, found.complete.value) == (42, pytest.approx(41 / 42))
    assert found.lost == {"no_draft": 1, "incomplete": 1}
    assert "lies on the draft, which is 40.0% (40.0% to 40.0%) of the words; on another question's draft" in found.told
    assert "97.6% (87.7% to 99.6%) of 42 rows add up within 5% (at worst 4.0% off, 64 steps at most)" in found.checked


def test_where_nothing_can_be_told_there_is_no_figure() -> None:
    assert measure_attribution([row(0, 0, lost="template")]) is None


def test_a_row_is_asked_with_its_draft_where_the_mark_is() -> None:
    turns = (Message(role="user", content=f"Is it?\nA draft: {MARK}"),)
    asked = AttributeRow(id="q", of="own", prompt=turns, draft="Yes {x}", answers=("Yes.", "No."))
    assert asked.messages[0].content == "Is it?\nA draft: Yes {x}"
