"""Two nights of one store held against each other: by what was asked, not by the place at which it was asked."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from blocks.scripted.local import Script, scripted
from flows.cli.app import app
from nightschool.errors import WorldError
from nightschool.wire import Endpoint
from tasks import validate
from tasks.chunk import make_chunk
from tasks.compare import compare
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import publish
from tests.half_night import Make
from tests.tasks.test_rounds import trained

SETS = ("validate={per_topic: 10, seeds: [0, 1]}",)


def proven(night: Night, accuracy: float) -> Night:
    """The night with a stage that is right so often, measured, and its report."""
    night.begin()
    trained(night, "sft")
    script = {"models": {"base": {"accuracy": 0.3}, "sft": {"accuracy": accuracy}}}
    with scripted(Script.model_validate(script)) as at:
        served = {name: Endpoint(model=name, urls=(at,)) for name in ("base", "sft")}
        for chunk in validate.chunks(night):
            make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)
    publish(night, Run(started="2026-01-02T03:04:05+00:00"))
    return night


def test_rows_are_paired_by_what_was_asked(make: Make) -> None:
    first = proven(make(*SETS, name="first"), 0.3)
    second = proven(make(*SETS, "sft.learning_rate=0.01", name="second"), 0.95)
    third = proven(make(*SETS, "seed=3", name="third"), 0.95)
    found = compare(first, second)
    assert [(one.name, one.on) for one in found.stages] == [
        ("base", "the very same answers: nothing that decides them differs"), ("sft", "paired: the same 40 questions"),
    ]  # fmt: skip
    assert found.stages[1].right.gain.value > 0.4
    assert [(one.field, one.decides) for one in found.recipe] == [("sft.learning_rate", True)]
    elsewhere = compare(first, third).stages[1]
    assert elsewhere.on.startswith("not paired: "), "under another seed the same ids name other questions"
    assert elsewhere.right.gain.p is None


def test_terminal_json_and_page_say_the_same(make: Make) -> None:
    first = proven(make(*SETS, name="first"), 0.3)
    proven(make(*SETS, "sft.learning_rate=0.01", name="second"), 0.95)
    words = ["compare", "first", "second", "--store", str(first.store.root)]
    shown = CliRunner().invoke(app, words).stdout
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    page = first.store.root / "nights/second/against-first.html"
    assert found["page"] == str(page)
    gain = f"{100 * found['stages'][1]['right']['gain']['value']:+.1f}"
    for told in (shown, page.read_text()):
        assert "The student of second is better" in told
        assert gain in told
        assert "sft.learning_rate" in told


def test_a_night_without_a_report_is_named(make: Make) -> None:
    begun = make(*SETS, name="begun")
    begun.begin()
    with pytest.raises(WorldError, match="night begun has no report yet: nightschool status begun"):
        compare(begun, begun)
