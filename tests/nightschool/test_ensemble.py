"""An ensemble's part of the report: the same figures on page, terminal and in Prefect, each with interval and n."""

from __future__ import annotations

import re

import pytest

from nightschool.report.ensemble import line, lines, rules_table, time_words, voters_table
from nightschool.report.ensemble_plot import voters
from nightschool.report.figures import Report
from nightschool.report.markdown import parts
from nightschool.report.page import render
from nightschool.report.predicted import Counted, Ensemble, Judged, Voted
from nightschool.report.terminal import summary_lines
from nightschool.report.verdict import conclude
from nightschool.report.voted import beside, share, took
from nightschool.statistics import mcnemar_exact, wilson
from tests.nightschool.example_report import night

RIGHT = [True] * 8 + [False] * 2
OURS = [True] * 9 + [False]


def voted(name: str, right: list[bool]) -> Voted:
    answered = share(9, 10)
    assert answered
    return Voted(name=name, answered=answered, right=share(sum(right), 10), gain=beside(name, right, OURS))


def ensemble(*, known: bool = True) -> Ensemble:
    whole, covers = share(9, 10), share(7, 10)
    assert whole
    assert covers
    best = voted("strong/expert", RIGHT)
    late = voted("quick/expert", [True] * 3 + [False] * 7).model_copy(update={"unheard": {"late": 2}})
    found = (Voted(name="ensemble", answered=whole, right=whole), best, late)
    rules = (
        Counted(strategy="majority", own=True, decided=covers, right_decided=share(7, 7), right=whole),
        Counted(strategy="unanimous", own=False, decided=covers, right=share(8, 10), gain=beside("m", OURS, RIGHT)),
    )
    always = share(2, 10)
    assert always
    told = Ensemble(
        night="contest", problems=10, models=("strong", "quick"), templates=("expert",), rounds=2,
        by={"votes": 7, "guess": 2, "stand_in": 1}, voters=found, rules=rules, baselines={"always 7": always},
        requests=40, tokens_out=900, took=took([1.0] * 9 + [3.0], per_problem_s=5, used_s=13.0, total_s=60),
        submission="s.csv", judged=Judged(rows=10, valid=9, taken=True, broken={"integer": 1}),
    )  # fmt: skip
    blank = {"voters": tuple(one.model_copy(update={"right": None, "gain": None}) for one in found), "rules": ()}
    return told if known else told.model_copy(update={**blank, "baselines": {}})


def alone(found: Ensemble) -> Report:
    return conclude(Report(night=night(learns=False, student="", stopped_in=None), ensemble=found), ())


def test_a_share_is_wilsons_and_a_difference_mcnemars() -> None:
    assert share(0, 0) is None
    found, gain = share(3, 12), beside("ann", RIGHT, OURS)
    assert found
    assert (found.low, found.high) == wilson(3, 12)
    assert gain
    assert gain.p == mcnemar_exact(0, 1) == 1.0
    assert gain.value == pytest.approx(0.1)
    assert beside("ann", [], []) is None


def test_page_terminal_and_prefect_tell_the_same() -> None:
    report = alone(ensemble())
    page, tables, said = render(report), parts(report)["ensemble"], "\n".join(lines(ensemble()))
    for figure in ("80.0% (49.0% to 94.3%)", "20.0% (5.7% to 51.0%)"):
        assert figure in page
        assert figure.replace("%", "\\%").replace(".", "\\.").replace("(", "\\(").replace(")", "\\)") in tables
    assert "80.0%  (49.0% to 94.3%)" in said
    assert "unanimous  decides 70.0% (39.7% to 89.2%), right 80.0% (49.0% to 94.3%, n 10)" in said
    assert "over the recipe's \N{MINUS SIGN}10.0 (" in said
    assert "9 of 10 rows keep to the contest" in said
    assert "no reply in time" in page
    assert "no reply in time" in tables
    assert line(ensemble()) in "\n".join(summary_lines(report))
    assert report.night.verdict.startswith(
        "Ensemble 90.0% (59.6% to 98.2%) right, n 10; best voter strong/expert 80.0% (49.0% to 94.3%); always 7 20.0%"
    )
    assert 'href="#ensemble"' in page


def test_each_row_has_its_n_and_each_rule_its_difference() -> None:
    head, rows = voters_table(ensemble())
    assert head[-1] == "n"
    assert {row[-1] for row in rows} == {"10"}
    assert rows[-1][0] == "always 7"
    _, rules = rules_table(ensemble())
    assert [row[0] for row in rules] == ["majority (the recipe)", "unanimous"]
    assert rules[1][4].startswith("\N{MINUS SIGN}10.0 (")
    assert rules[1][5:] == ["1.000", "no significant difference", "10"]


def test_time_says_what_was_used_of_the_budget() -> None:
    assert time_words(ensemble()) == [
        "A problem took 1.2 s (0.748 s to 1.7 s) on average, 95% of them at most 2.1 s, the slowest 3.0 s, of 5 s that "
        "one may take (n 10).",
        "All together took 13.0 s of 60 s (22% of the time for all).",
    ]
    assert took([], per_problem_s=1, used_s=None, total_s=None) is None


def test_without_truths_there_is_coverage_and_no_plot() -> None:
    told = ensemble(known=False)
    assert voters(told) is None
    assert line(told) == "answers 90.0% (59.6% to 98.2%) of 10 problems"
    assert not any(one.startswith("Right") for one in lines(told))
    assert "Where its answers come from" in render(alone(told))


def test_a_long_name_is_on_two_lines_and_whole() -> None:
    told = ensemble()
    first, *others = told.voters
    long = first.model_copy(update={"name": "a-model/under_a_prompt_of_ours"})
    drawn = voters(told.model_copy(update={"voters": (long, *others)}))
    assert drawn is not None
    assert re.findall(r">(a-model/|under_a_prompt_of_ours)<", drawn.svg) == ["a-model/", "under_a_prompt_of_ours"]
    assert "…" not in drawn.svg
