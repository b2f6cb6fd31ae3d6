"""The night in a line, and in a terminal."""

import pytest

from nightschool.recipe.gate import Gate
from nightschool.report.figures import Report
from nightschool.report.page import render
from nightschool.report.proof import Gain
from nightschool.report.terminal import summary_lines
from nightschool.report.verdict import conclude, headline, verdict_line
from tests.nightschool.example_report import GATES, example, night, stopped, unjudged


def test_a_good_night_in_a_line() -> None:
    report = example()
    assert report.night.outcome == "passed"
    assert report.night.verdict == verdict_line(report)
    line = report.night.verdict
    assert line == (
        "Student 47.1% [44.3, 50.0] -> 67.8% [64.9, 70.5] after sft (+20.7 points [+17.5, +23.8]) -> 71.8% "
        "[69.1, 74.3] after dpo (+4.0 [+1.0, +7.0]), n 1,680 (95% intervals), where always A reaches 25.7% "
        "[21.8, 30.1] of 420; all 6 gates passed"
    )
    assert headline(report) == "The student learned"
    assert report.latency is not None
    assert report.latency.limit_s == 0.5
    assert report.what_next == (f"The student is ready to be served: {report.night.student}",)


def test_stages_that_were_asked_another_number_of_questions_each_have_their_own() -> None:
    base, sft, _ = unjudged().stages
    fewer = sft.model_copy(update={"accuracy": sft.accuracy.model_copy(update={"n": 840})})
    line = verdict_line(unjudged().model_copy(update={"stages": (base, fewer)}))
    assert line.startswith("Student 47.1% [44.3, 50.0] of 1,680 -> 67.8% [64.9, 70.5] of 840 after sft (")
    assert "n 1,680" not in line


def test_a_failed_gate_names_itself_and_a_way_on() -> None:
    gate = Gate(name="too-high", metric="accuracy", stage="sft", at_least=0.99)
    report = conclude(unjudged(), [*GATES, gate])
    assert report.night.outcome == "failed"
    assert "1 of 7 gates failed: too-high" in report.night.verdict
    assert headline(report) == "1 of 7 gates failed"
    assert any(line.startswith("Gate too-high: try") for line in report.what_next)


def test_a_difference_within_chance_is_called_so() -> None:
    whole = unjudged()
    dpo = whole.stages[2]
    assert dpo.gain is not None
    level = dpo.model_copy(update={"gain": dpo.gain.model_copy(update={"low": -0.01})})
    report = conclude(whole.model_copy(update={"stages": (*whole.stages[:2], level)}), [])
    assert any("dpo is not measurably different from sft" in line for line in report.what_next)


@pytest.mark.parametrize(
    ("low", "value", "high", "words"),
    [
        (0.1, 0.2, 0.3, "The student learned"),
        (-0.1, 0.02, 0.1, "The student did not measurably learn"),
        (-0.3, -0.2, -0.1, "The student got worse"),
    ],
)
def test_the_headline_goes_by_the_interval(low: float, value: float, high: float, words: str) -> None:
    whole = unjudged()
    sft = whole.stages[1].model_copy(update={"gain_over_base": Gain(over="base", value=value, low=low, high=high)})
    report = conclude(whole.model_copy(update={"stages": (whole.stages[0], sft)}), [])
    assert headline(report) == words


def test_damaged_chunks_that_were_made_anew_are_told() -> None:
    found = tuple(f"answers chunk {number}/9: rows are not what was written" for number in range(5))
    lines = summary_lines(unjudged().model_copy(update={"remade": found}))
    assert [line for line in lines if "made anew" in line] == [
        *(f"  made anew  {one}" for one in found[:3]),
        "  made anew  and 2 more, whose files were damaged too",
    ]


def test_rows_of_an_older_recipe_are_told_beside_the_verdict() -> None:
    report = unjudged().model_copy(update={"accepted": {"answers": "prompts/answers.txt changed"}})
    told = "The rows of answers were made by an older recipe: prompts/answers.txt changed; accepted by --accept-stale"
    assert summary_lines(report)[1] == told
    assert f"{told}." in render(report)
    assert "--accept-stale" not in render(unjudged())


def test_a_stopped_night_says_where_and_how_to_go_on() -> None:
    report = stopped()
    assert report.night.outcome == "stopped"
    assert report.night.verdict == "Stopped in answers; 6 gates could not be measured; 1 failure to mend"
    assert report.what_next[0] == "$ nightschool rerun quickstart --phase answers --chunk 17"
    assert report.what_next[-1] == "$ nightschool run configs/quickstart.yaml"


def test_a_night_without_anything_still_has_a_verdict() -> None:
    report = conclude(Report(night=night(student="")), [])
    assert report.night.verdict == "Nothing was measured"
    assert headline(report) == "The night is done"
    assert summary_lines(report)[0] == "Nothing was measured"


def test_the_terminal_shows_stages_committee_requests_and_gates() -> None:
    lines = summary_lines(example())
    text = "\n".join(lines)
    for part in ("base", "sft", "dpo", "best teacher ada", "14,220 sent, 1,800 reused", "3.50 spent on gpt",
                 "pass  sft-gain", "n 1,680"):  # fmt: skip
        assert part in text
    assert max(map(len, lines[1:])) <= 100
    assert "FAIL" in "\n".join(summary_lines(stopped()))


def test_a_student_that_does_no_better_than_one_answer_for_all_is_told_so() -> None:
    reached = example().stages[-1].accuracy
    always = reached.model_copy(update={"value": reached.value + 0.01})
    report = conclude(unjudged().model_copy(update={"baselines": {"always no": always, "chance": reached}}), [])
    assert headline(report) == "The student learned, and does no better than always no"
    assert any(line.startswith("dpo is at ") and "always no at " in line for line in report.what_next)
    below = always.model_copy(update={"value": reached.low - 0.01})
    assert headline(report.model_copy(update={"baselines": {"always no": below}})) == "The student learned"
