"""The page of a spot check: what a model wrote is text in it, and answers in words can be typed."""

from __future__ import annotations

from dataclasses import replace

from nightschool.report.spot_check_page import render
from nightschool.review import Case
from nightschool.spot_check import measure
from tests.nightschool.review_cases import decision, free

TAG = "</textarea><script>alert(1)</script>"
SCRIPT = f"{TAG}\u202e"


def shown(case: Case, who: str = "", verdict: str = "") -> str:
    said = {case.content: decision(case.ruling, verdict, note=SCRIPT)} if verdict else {}
    found = measure([case.ruling], said, case.kind, taught=7)
    return render("n", [case], found, who=who, token="t", report=True)


def row() -> Case:
    case = free("integer", own=("4", f"So 4. {SCRIPT}"), ann=("4", "It is 4."), ben=("5", SCRIPT))
    asked = case.ruling.question.model_copy(update={"question": SCRIPT, "topic": SCRIPT})
    return replace(case, ruling=case.ruling.model_copy(update={"answer": "4", "reasoning": SCRIPT, "question": asked}))


def test_what_models_and_people_wrote_is_text() -> None:
    for page in (shown(row(), TAG), shown(row(), TAG, "reject")):
        assert "&lt;script&gt;" in page
        assert ("<script" in page, "</textarea><script" in page, "\u202e" in page) == (False, False, False)


def test_answers_in_words_are_typed_and_voices_are_told_apart() -> None:
    page = shown(row())
    assert ("<select" in page, 'list="answers-' in page, '<option value="5">' in page) == (False, True, True)
    assert "1 of 2 teachers say so" in page
    assert "own: 4" not in page, "the first voice is the row's own"
    assert "Your name" in page
    assert "Your name" not in shown(row(), "Ada")


def test_a_night_without_rows_says_so() -> None:
    assert "teaches no rows yet" in render("n", [], None, who="", token="t", report=False)
