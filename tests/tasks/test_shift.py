"""A run held against its window, on a clock of the test's own, by what an earlier night of the store took."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from nightschool.errors import WindowClosed
from nightschool.giving_up import Decision
from tasks import crew, making, outlook
from tasks.given_up import given_up
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.shift import Replanned, Shift, held
from tests.blocks.fleets import until

OPENS = datetime(2026, 11, 20, 22, tzinfo=UTC)
SETS = (
    "answers.samples=4",
    "pairs={samples: 4}",
    "dpo={learning_rate: 1e-4, epochs: 3}",
    "window={start: '22:00', end: '06:00', spare_minutes: 0, margin: 0}",
    "fallbacks=[{name: light-rl, sets: {dpo.epochs: 1}, until: pairs}, {name: fewer, sets: {answers.samples: 1}},"
    " {name: no-rl, sets: {pairs: null, dpo: null}}]",
)
HOURS = {"questions": 1.0, "answers": 3.0, "sft": 1.0, "pairs": 1.0, "dpo": 3.0, "validate": 1.0}


class Clock:
    def __init__(self, hours: float = 0.0) -> None:
        self.hours = hours

    def __call__(self) -> datetime:
        return OPENS + timedelta(hours=self.hours)


def took(ledger: Ledger, **hours: float) -> Ledger:
    for phase, count in hours.items():
        ledger.phase(phase, seconds=3600 * count, chunks=1)
    return ledger


@pytest.fixture(autouse=True)
def asks_again_afterwards():
    yield
    crew.begin()


@pytest.fixture
def night(make) -> Night:
    """A night on a store on which one of the same recipe took ten hours the evening before."""
    earlier = make(*SETS, name="earlier")
    earlier.begin()
    took(Ledger(earlier.dir), **HOURS).finish()
    found = make(*SETS, name="tonight")
    found.begin()
    return found


def names(found: Decision) -> tuple[list[str], list[str]]:
    return [one.name for one in found.gives_up], [one.name for one in found.now]


def test_before_the_start_it_says_what_it_needs_and_by_what(night):
    lines = Shift(night, Ledger(night.dir), Clock()).lines()
    assert lines[0] == "window 22:00\N{EN DASH}06:00 UTC: closes Sat 06:00, 8 h 00 min left"
    assert lines[1].startswith("the night needs about 10 h ")
    assert "on night earlier: questions, answers" in lines[1]
    assert lines[2].startswith("it fits without ")
    assert held(night)[0].startswith("window 22:00")


@pytest.mark.parametrize(
    ("hours", "phase", "gives_up", "now"),
    [
        (-12, "questions", [], []),  # by hand, in the morning: until the next end
        (0, "questions", ["no-rl"], []),  # there is time until pairs
        (2.5, "answers", ["no-rl"], []),
        (3.5, "answers", ["fewer", "no-rl"], ["fewer"]),
        (4, "pairs", ["light-rl"], ["light-rl"]),
        (6, "pairs", ["no-rl"], ["no-rl"]),
        (7.9, "pairs", [], []),  # in vain
    ],
)
def test_it_gives_up_what_the_earlier_night_says_it_must(night, monkeypatch, hours, phase, gives_up, now):
    # What lies before is as if it were made: it takes nothing.
    done = list(HOURS)[: list(HOURS).index(phase)]
    monkeypatch.setattr(outlook, "_missing", lambda night, one: float(one not in done))
    found = Shift(night, Ledger(night.dir), Clock(hours)).decide(phase)
    assert names(found) == (gives_up, now)


def test_what_is_given_up_is_on_file_and_holds_for_the_next_run(night, make):
    shift = Shift(night, Ledger(night.dir), Clock(3.5))
    with pytest.raises(Replanned):
        shift.look("answers")
    assert shift.night.recipe.answers.samples == 1
    [choice] = [one for one in given_up(night.dir).choices if one.name == "fewer"]
    assert (choice.before, choice.told) == ("answers", "answers.samples=1")
    assert choice.why.startswith("Before answers the whole night needed about ")
    again = make(*SETS, name="tonight")
    assert again.keys == shift.night.keys
    assert again.keys["pool"] == night.keys["pool"]
    assert again.keys["answers/alba"] != night.keys["answers/alba"]
    Shift(again, Ledger(again.dir), Clock(3.5)).settle()
    assert [one.name for one in given_up(night.dir).choices] == [one.name for one in given_up(again.dir).choices]


def test_when_the_time_is_over_nothing_more_is_begun(night):
    clock = Clock(7.9999)
    shift = Shift(night, Ledger(night.dir), clock)
    with shift.watched():
        clock.hours = 8.0
        with pytest.raises(WindowClosed, match=r"closes at Sat 06:00.*goes on where it stopped.*Sat 22:00"):
            shift.look("answers")
        until(making.stopping)
    assert not making.stopping()
    assert not [one for one in threading.enumerate() if one.name == "watching the window"]


def test_without_a_window_nothing_is_looked_at(make):
    plain = make()
    shift = Shift(plain, Ledger(plain.dir))
    shift.look("answers")
    with shift.watched():
        assert shift.lines() == []
    assert not plain.dir.exists()
