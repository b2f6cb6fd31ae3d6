"""What people read first has no bare share either: verdict, what next, gates and the morning's message."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from nightschool.messages import over
from nightschool.recipe.gate import Gate
from nightschool.report.comparing import Told, comparison
from nightschool.report.comparison_text import lede
from nightschool.report.figures import Answered, Funnel, Report
from nightschool.report.guessing import baselines, said
from nightschool.report.marks import measure_marks
from nightschool.report.people import SpotCheck, SpotRow
from nightschool.report.proof import Estimate
from nightschool.report.verdict import conclude, headline
from nightschool.tallies import Tally
from tests.nightschool.example_report import GATES, committee, example, night, stopped, unjudged
from tests.nightschool.example_rows import measured
from tests.nightschool.test_comparison import RECIPE
from tests.nightschool.test_ensemble import alone, ensemble
from tests.nightschool.test_no_skill import ABLE, SILENT, VERDICTS, report
from tests.nightschool.test_no_skill import rows as said_by
from tests.nightschool.test_report_intervals import whole
from tests.nightschool.test_report_lessons import PAIRS
from tests.nightschool.test_timing import timed

INTERVAL = re.compile(r" (?:\[[^\[\]]*\d, [^\[\]]*\d\]|\([^()]*\d[^()]* to [^()]*\d[^()]*\))")
SHARE = re.compile(r"(\d%| points)(?! interval)(?!§)(?! of [\d,]+§)")
SIZE = re.compile(r"\b(?:n|of) \d")


def bare(line: str) -> list[str]:
    """Shares of a sentence that no interval follows, or all of them where it has no number of answers."""
    found = SHARE.findall(INTERVAL.sub("§", line).replace("(95% intervals)", "§"))
    return found or (["no n"] if "§" in INTERVAL.sub("§", line) and not SIZE.search(line) else [])


def poor() -> Report:
    """A student that is no better than always the same, pairs won unread, and rows that a person calls bad."""
    reached = example().stages[-1].accuracy
    always = reached.model_copy(update={"value": reached.value + 0.01, "n": 420})
    drawn = SpotRow(id="q", topic="t", question="?", answer="A", verdict="bad")
    check = SpotCheck(taught=900, bad=Estimate(value=0.5, low=0.1, high=0.9, n=2), rows=(drawn, drawn))
    changes = {"baselines": {"always no": always}, "shortcuts": (PAIRS,), "spot_check": check,
               "times": (timed("answers", 50.0, slowest=80.5),)}  # fmt: skip
    return conclude(unjudged().model_copy(update=changes), GATES)


def teachers_alone() -> Report:
    tally = Tally(questions=4, marks={"right": 3, "wrong": 1}, aa=4, ra=3, rr=3)
    marks = measure_marks({"ann": tally}, {}, committee().baselines)
    answered = (Answered(teacher="ann", rows=4),)
    asked = night(learns=False, student="")
    made = Report(night=asked, marks=marks, answered=answered, funnel=(Funnel(step="asked", total=4),))
    return conclude(made, [])


def collapsed(kind: str) -> Report:
    """Who says always the same, or nothing, under a gate of each figure that claims a skill."""
    rows = said_by(kind, VERDICTS)
    told = {"said": said({"sft": rows}, closed=True), "baselines": baselines(rows, closed=True)}
    skills = ("accuracy", "balanced_accuracy", "guessing_gain")
    gates = [Gate(name=one, metric=one, stage="sft", at_least=0.01) for one in skills]
    gates += [Gate(name=one, metric=one, stage="sft", at_most=9) for one in ("latency_mean_s", "questions_mean_s")]
    return conclude(report(kind, VERDICTS, kind).model_copy(update=told), gates)


REPORTS = {
    "example": example, "stopped": stopped, "whole": whole, "poor": poor, "teachers": teachers_alone,
    "ensemble": lambda: conclude(alone(ensemble()), []),
    **{kind: lambda kind=kind: collapsed(kind) for kind in ("constant", SILENT, ABLE)},
}  # fmt: skip


def sentences(told: Report) -> Iterator[str]:
    yield from (headline(told), told.night.verdict, *told.what_next)
    yield from (gate.because for gate in told.gates)
    message = over(told, "report.html")
    yield from (message.subject, *message.body.splitlines())


@pytest.mark.parametrize("name", REPORTS)
def test_no_sentence_has_a_share_without_its_interval_and_n(name: str) -> None:
    told = list(sentences(REPORTS[name]()))
    assert any(re.search(r"\d\.\d%", line) for line in told) or name == "stopped"
    assert {line: bare(line) for line in told if bare(line)} == {}


def test_an_accuracy_in_the_first_line_stands_beside_always_the_commonest_answer() -> None:
    for name in ("example", "whole", "poor"):
        told = REPORTS[name]()
        assert re.search(r"where always \w+ reaches \d+\.\d% \[[\d.]+, [\d.]+\] of 420", told.night.verdict), name
        assert told.night.verdict in over(told, "page").body
    assert "right: ann 75.0% [" in teachers_alone().night.verdict
    assert "where always B reaches " in teachers_alone().night.verdict


def test_two_nights_are_compared_with_intervals_n_and_guessing() -> None:
    rows = {name: measured(name) for name in ("base", "sft", "dpo")}
    own, guess = Told(RECIPE, example(), rows), example().baselines
    line = lede(comparison(own, own))
    assert bare(line) == []
    assert re.search(r"dpo 71\.8% \[.*\] of 1,680 -> 71\.8% \[.*\] of 1,680 \(\+0\.0 points \[", line)
    assert ", where always A reaches 25.7% [21.8, 30.1] of 420; " in line
    other = {"always B": guess["always A"].model_copy(update={"value": 0.3})}
    line = lede(comparison(own, Told(RECIPE, example().model_copy(update={"baselines": other}), rows)))
    assert ", where always A reached 25.7% [21.8, 30.1] of 420 and always B 30.0% [21.8, 30.1] of 420; " in line
    assert bare(line) == []
