"""What was learned from, as the report tells it."""

from __future__ import annotations

from nightschool.recipe.preference import Epochs, Scheduled
from nightschool.report.doubts import LeftOut
from nightschool.report.grid import accuracy
from nightschool.report.lessons import Lesson, Shortcut, Turn, lessons_table, shortcuts_table, turns
from nightschool.report.measure import compare
from nightschool.report.page import render
from nightschool.report.rounds import Round
from nightschool.report.terminal import summary_lines
from nightschool.report.verdict import what_next
from nightschool.training.record import Prompts
from tests.nightschool.example_report import example
from tests.nightschool.example_rows import measured

PAIRS = Shortcut(stage="dpo", rule="longer", decides=40, wins=38, low=0.83, high=0.98, warns=True)


def test_counts_that_no_stage_has_are_left_out() -> None:
    stages = [
        Lesson(stage="cot", trained=1037, prompts=Prompts(rows=1037, compared=1037, others=1036, leaks=1036)),
        Lesson(stage="dpo", trained=88, prompts=Prompts(rows=90, too_long=2, dropped=2)),
    ]
    head, rows = lessons_table(stages)
    assert head == ["", "cot", "dpo"]
    assert dict((row[0], row[1:]) for row in rows) == {
        "rows read": ["1,037", "90"],
        "trained on": ["1,037", "88"],
        "held against what is asked later": ["1,037", "0"],
        "asked otherwise": ["1,036", "0"],
        "give the answer away": ["1,036", "0"],
        "over the context": ["0", "2"],
        "dropped": ["0", "2"],
    }


def test_one_class_only_is_told_in_what_next() -> None:
    taught = [Lesson(stage=str(n), trained=90, prompts=Prompts(rows=90, compared=90, answers=n)) for n in (0, 1, 2)]
    told = [line for line in what_next(example().model_copy(update={"lessons": tuple(taught)})) if "class" in line]
    assert told == ["All 90 rows of 1 have the same answer: one class only was taught."]


def test_a_rule_that_wins_unread_is_marked_and_told_in_what_next() -> None:
    fair = PAIRS.model_copy(update={"rule": "box", "wins": 20, "low": 0.35, "high": 0.65, "warns": False})
    _, rows = shortcuts_table([PAIRS, fair])
    assert [row[:4] for row in rows] == [
        ["the longer one (!)", "95.0%", "83.0% to 98.0%", "40"],
        ["an answer in a box", "50.0%", "35.0% to 65.0%", "40"],
    ]
    report = example().model_copy(update={"shortcuts": (PAIRS, fair)})
    told = [line for line in what_next(report) if line.startswith("Pairs of dpo")]
    assert told == ["Pairs of dpo: the longer one wins 95% of 40 (83% to 98%); a model may learn just that."]


def test_a_schedule_turns_where_something_changes() -> None:
    plan = (
        Epochs(epochs=1, beta=0.05),
        Epochs(epochs=2, beta=0.1, cal="center"),
        Epochs(epochs=1, beta=0.1, cal="center", robust="drop"),
        Epochs(epochs=1, beta=0.1, cal="center", robust="drop"),
    )
    assert turns(Scheduled(schedule=plan)) == (
        Turn(epoch=0, told="\N{GREEK SMALL LETTER BETA} 0.05"),
        Turn(epoch=1, told="\N{GREEK SMALL LETTER BETA} 0.1, cal center"),
        Turn(epoch=3, told="robust drop"),
    )
    assert turns(Scheduled(cal="paper")) == ()


def test_the_page_has_both_tables() -> None:
    page = render(example())
    assert "What was learned from" in page
    assert "Pairs won unread" in page


def test_the_page_shows_a_loop_round_by_round_and_the_pairs_that_were_left_out() -> None:
    start, after = ([row.model_copy(update={"right": n % 10 < share}) for n, row in enumerate(measured("sft"))]
                    for share in (5, 7))  # fmt: skip
    up, down = compare("x", start, after), compare("x", after, start)
    rounds = (
        Round(loop="dpo", stage="sft", pairs=None, accuracy=accuracy(start), gain=None, fate="start"),
        Round(loop="dpo", stage="dpo-1", pairs=412, accuracy=accuracy(after), gain=up, fate="kept"),
        Round(loop="dpo", stage="dpo-2", pairs=208, accuracy=accuracy(start), gain=down, fate="failed"),
    )
    pair = LeftOut(stage="dpo-1", epoch=1, id="q7-0", against=2 / 3, chosen='{"a": "<b>"}', rejected="no")
    page = render(example().model_copy(update={"rounds": rounds, "left_out": (pair,)}))
    assert "Round by round" in page
    assert '+20.0 <span class="sure">(' in page
    assert "held; this one is kept" in page
    assert "1 pair at weight zero" in page
    assert "&lt;b&gt;" in page
    assert "Round by round" not in render(example())
    lines = [line for line in summary_lines(example().model_copy(update={"rounds": rounds})) if "rounds" in line]
    assert lines == [
        "  rounds     sft 50.0% (46.6% to 53.4%, n 1,680)",
        "  rounds     -> dpo-1 70.0% (67.1% to 72.7%, n 1,680), kept",
        "  rounds     -> dpo-2 50.0% (46.6% to 53.4%, n 1,680), too little gained",
    ]
