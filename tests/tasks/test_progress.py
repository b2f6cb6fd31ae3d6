"""Progress: counts, and an estimate that leaves out what came before the first row."""

import pytest

from tasks import progress
from tasks.progress import Event, Tracker, listening


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress, "clock", lambda: now[0])
    return now


def test_loading_is_no_rate(clock: list[float]) -> None:
    events: list[Event] = []
    with listening(events.append):
        tracker = Tracker("sft")
        for step, moment in ((1, 160.0), (2, 162.0), (3, 164.0)):
            clock[0] = moment
            tracker.steps("sft", step, 10)
        tracker.finish()
    assert [event.eta_s for event in events] == [None, None, 16.0, 14.0, None]
    assert events[-1].finished
    assert events[-1].seconds == 64.0


def test_reused_rows_cost_nothing(clock: list[float]) -> None:
    events: list[Event] = []
    with listening(events.append):
        tracker = Tracker("answers")
        tracker._total = 100
        tracker.rows(90, reused=True)
        for moment in (101.0, 102.0, 103.0):
            clock[0] = moment
            tracker.rows()
    assert events[-1].done == 93
    assert events[-1].eta_s == pytest.approx(7.0)


def test_events_are_few(clock: list[float]) -> None:
    events: list[Event] = []
    with listening(events.append):
        tracker = Tracker("answers")
        for _ in range(1000):
            clock[0] += 0.001
            tracker.rows()
    assert 2 <= len(events) <= 3
