"""Real nights in a window, on a clock that runs as slow teachers and slow training would have it."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from flows.night import night as flow
from nightschool.forecast import forecast
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.recipe.small import dry
from tasks import progress, shift
from tasks.given_up import given_up
from tasks.ledger import last_run
from tasks.progress import Event

pytestmark = [pytest.mark.usefixtures("prefect_harness"), pytest.mark.timeout(600)]

OPENS = datetime(2026, 11, 20, 22, tzinfo=UTC)
HOUR = 3600.0
WINDOW = 'window: {start: "22:00", end: "06:00", spare_minutes: 0}\n'
FALLBACKS = """fallbacks:
  - {name: light-rl, description: RL on few questions, sets: {dpo.questions: 4}, until: pairs}
  - {name: fewer-samples, description: one sample for four, sets: {answers.samples: 1}}
  - {name: no-rl, description: no RL, sets: {pairs: null, dpo: null}}
"""
SETS = ("answers.samples=4", "pairs.samples=4", "dpo.questions=16", "gates=[]", "package=null")
# Hours for a phase as the recipe stands: the fast evening. What the models of a phase do besides takes as long for
# each token or row, and a pair is 8 passes for the 3 of a row of sft.
FAST = {"answers": 2.0, "pairs": 0.6, "dpo": 2.0}
LIKE = {"questions": "answers", "validate": "pairs", "timing": "pairs", "sft": "dpo"}


class Clock:
    """Hours pass where a phase begins that costs some; the real time of so small a night counts for nothing."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self.now_s, self.rates, self.slower, self.recipe = 0.0, rates, dict[str, float](), Path()

    def moment(self) -> datetime:
        return OPENS + timedelta(seconds=self.now_s)

    def hear(self, event: Event) -> None:
        rate = self.rates.get(event.phase, 0.0) * self.slower.get(event.phase, 1.0)
        if rate and event.seconds == 0 and not event.finished and event.chunks_total:
            units = {one.phase: one.units for one in forecast(load_recipe(self.recipe))}
            self.now_s += HOUR * rate * units[event.phase]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    small = dry(load_recipe(find_recipe("smoke")), store=str(folder / "runs"))
    file = folder / "recipe.yaml"
    file.write_text(dump_recipe(small).replace("window: null\n", WINDOW).replace("fallbacks: []\n", FALLBACKS))
    return file


@pytest.fixture
def clock(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    units = {one.phase: one.units for one in forecast(load_recipe(recipe, sets=SETS))}
    rates = {phase: hours / units[phase] for phase, hours in FAST.items()}
    rates |= {phase: rates[like] for phase, like in LIKE.items()} | {"sft": rates["dpo"] * 3 / 8}
    found = Clock(rates)
    monkeypatch.setattr(shift, "moment", found.moment)
    monkeypatch.setattr(progress, "clock", lambda: found.now_s)
    with progress.listening(found.hear):
        yield found


def run(recipe: Path, clock: Clock, name: str, *sets: str, **slower: float) -> tuple[Path, State[Any]]:
    """A night on another evening, `slower` by phase than the fast one."""
    folder = recipe.parent / "runs" / "nights" / name
    clock.now_s, clock.slower, clock.recipe = 0.0, slower, folder / "recipe.resolved.yaml"
    return folder, flow(str(recipe), "none", [*SETS, f"seed={sum(name.encode())}", *sets], name, return_state=True)


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def see_a_validated_student_in_time(folder: Path, clock: Clock, *stages: str) -> None:
    report = report_of(folder)
    assert [stage["name"] for stage in report["stages"]] == ["base", *stages]
    assert all(stage["accuracy"]["n"] for stage in report["stages"])
    assert report["night"]["outcome"] == "passed"
    assert 4 * HOUR < clock.now_s <= 8 * HOUR
    assert last_run(folder).whole


def given(folder: Path) -> list[tuple[str, str]]:
    return [(one.name, one.before) for one in given_up(folder).choices]


def test_three_nights_end_in_their_window_with_a_validated_student(recipe, clock):
    folder, _ = run(recipe, clock, "fits")
    assert given(folder) == []
    see_a_validated_student_in_time(folder, clock, "sft", "dpo")
    assert 'class="given-up"' not in (folder / "report.html").read_text()

    folder, _ = run(recipe, clock, "without-dpo", "dpo.epochs=0.3", answers=1.5, questions=1.5)
    assert given(folder) == [("no-rl", "pairs")]
    see_a_validated_student_in_time(folder, clock, "sft")
    first = given_up(folder).line
    assert first.startswith("Given up to end in the window: no-rl (no RL). Before pairs the whole night needed")
    assert report_of(folder)["given_up"] == first
    assert 'class="given-up"' in (folder / "report.html").read_text()

    folder, _ = run(recipe, clock, "light-and-fewer", "dpo.epochs=0.02", answers=3, questions=3)
    assert given(folder) == [("fewer-samples", "answers"), ("light-rl", "pairs")]
    see_a_validated_student_in_time(folder, clock, "sft", "dpo")


def test_a_night_that_overruns_stops_in_order_and_goes_on_another_evening(recipe, clock):
    slow = ["serve.concurrency=1", "teachers.0.script.models.alba.latency_s={mean: 0.4}"]
    slow += ["fallbacks=[]", "pairs=null", "dpo=null"]
    folder, state = run(recipe, clock, "overruns", *slow, answers=50, questions=10)
    assert (state.name, state.is_failed()) == ("Stopped: deadline", False)
    stopped = last_run(folder)
    assert (stopped.goes_on, stopped.whole) == ("window", False)
    report = report_of(folder)
    assert (report["night"]["outcome"], report["night"]["stopped_in"]) == ("stopped", "answers")
    assert report["failures"] == []

    folder, state = run(recipe, clock, "overruns", *slow, answers=1.5)
    assert state.is_completed()
    see_a_validated_student_in_time(folder, clock, "sft")
    assert {one.name: one.cached_chunks for one in last_run(folder).phases}["questions"] > 0
