"""What a night of data leaves to teach from."""

from __future__ import annotations

from nightschool.report.figures import Funnel, Report
from nightschool.report.kept import export, kept
from nightschool.report.proof import Critiques
from nightschool.report.terminal import summary_lines
from tests.nightschool.example_report import night

STEPS = (Funnel(step="asked", total=400), Funnel(step="agreed", total=300), Funnel(step="balanced", total=200))


def test_a_night_of_data_says_what_came_through_and_how_to_get_it() -> None:
    report = Report(night=night(learns=False, name="data"), funnel=STEPS)
    assert kept(report) == "200 of 400 questions to teach from (50.0%)"
    assert export(report) == ["$ nightschool export data --format trl"]
    counts = Critiques(judgements={}, per_question={}, left_out={}, dropped={}, questions=0)
    judged = report.model_copy(update={"critiques": counts})
    assert export(judged) == ["$ nightschool export data --format verl --phase critique"]
    assert "  rows       200 of 400 questions to teach from (50.0%)" in summary_lines(report)


def test_a_night_with_a_student_or_without_rulings_or_half_done_does_not() -> None:
    assert kept(Report(night=night(learns=True), funnel=STEPS)) is None
    assert kept(Report(night=night(learns=False), funnel=STEPS[:1])) is None
    assert kept(Report(night=night(learns=False, stopped_in="balance"), funnel=STEPS)) is None
    none = (*STEPS[:2], Funnel(step="balanced", total=0))
    assert export(Report(night=night(learns=False), funnel=none)) == []
