"""What people are told of a night: its verdict, its report, the first thing to do; no row's text."""

from __future__ import annotations

from typing import Any

import pytest

from nightschool.messages import Message, begun, broke_down, over, recipients
from nightschool.recipe.gate import Gate
from nightschool.recipe.notify import Notify
from nightschool.report.figures import Report
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import unjudged


def report(**night: Any) -> Report:
    bare = unjudged()
    return conclude(bare.model_copy(update={"night": bare.night.model_copy(update=night)}), [])


def test_the_morning_has_verdict_report_and_what_to_do_first() -> None:
    found = report()
    told = over(found, "/runs/nights/x/report.html", "http://127.0.0.1:4200/runs/1")
    assert told.subject.startswith(f"Night {found.night.name}: ")
    lines = told.body.splitlines()
    assert lines[:3] == [
        found.night.verdict, "Report: /runs/nights/x/report.html", "Run: http://127.0.0.1:4200/runs/1",
    ]  # fmt: skip
    assert lines[3].startswith("First thing to do: ")
    assert told.events == {"morning"}


def test_a_command_comes_with_its_sentence() -> None:
    stopped = report(stopped_in="answers", command="nightschool run x")
    told = over(stopped.model_copy(update={"what_next": ("It goes on in answers:", "$ nightschool run x")}), "page")
    assert "First thing to do: It goes on in answers: nightschool run x" in told.body
    assert told.events == {"morning", "failure"}


def test_a_failed_gate_is_an_event_of_its_own() -> None:
    gate = Gate(name="good-enough", metric="accuracy", stage="dpo", at_least=0.99)
    assert over(conclude(unjudged(), [gate]), "page").events == {"morning", "gate"}


def test_messages_hold_no_row_and_no_error() -> None:
    bare = report(stopped_in="answers")
    texts = over(bare, "page").body + broke_down("x", "", refused=True).body + begun("x", 1, "", "").body
    for sample in bare.samples:
        assert sample.question not in texts


TO_ALL, TO_ONE = Notify(to=("block/slack", "env/MAIL")), Notify(to="block/slack", on=("failure",))


@pytest.mark.parametrize(
    ("events", "heard"),
    [
        ({"start"}, ["block/slack", "env/MAIL"]),
        ({"failure", "morning"}, ["block/slack", "env/MAIL"]),
    ],
)
def test_everyone_is_told_once(events: set, heard: list[str]) -> None:
    assert recipients([TO_ALL, TO_ONE], Message(frozenset(events), "s", "b")) == heard


def test_nobody_is_told_what_they_did_not_ask_for() -> None:
    assert recipients([TO_ONE], Message(frozenset({"morning"}), "s", "b")) == []
    assert recipients([], Message(frozenset({"morning"}), "s", "b")) == []
