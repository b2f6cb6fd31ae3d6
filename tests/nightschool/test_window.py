"""When a window is open: over midnight, on some days, and on the nights in which clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.recipe.window import DAYS, Window
from nightschool.window import clock, cron, hours, opening, stops_at

BERLIN = "Europe/Berlin"
NIGHT = Window(start="22:00", end="06:00", zone=BERLIN)
ZONES = ("UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")


def local(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("now", "begins", "ends"),
    [
        ("2026-11-20 21:59", "2026-11-20 22:00", "2026-11-21 06:00"),
        ("2026-11-20 22:00", "2026-11-20 22:00", "2026-11-21 06:00"),
        ("2026-11-21 05:59", "2026-11-20 22:00", "2026-11-21 06:00"),
        ("2026-11-21 06:00", "2026-11-21 22:00", "2026-11-22 06:00"),
    ],
)
def test_a_window_over_midnight_is_the_evening_s_until_it_ends(now, begins, ends):
    found = opening(NIGHT, local(now))
    assert (found.begins, found.ends) == (local(begins), local(ends))
    assert found.holds(local(now)) == (local(begins) <= local(now) < local(ends))
    assert found.evening == local(begins).date()


@pytest.mark.parametrize(("evening", "lasts"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-11-20", 8)])
def test_where_clocks_change_it_lasts_an_hour_less_or_more(evening, lasts):
    found = opening(NIGHT, local(f"{evening} 23:00"))
    assert found.ends - found.begins == timedelta(hours=lasts)


def test_a_time_that_clocks_leave_out_is_as_late_as_it_would_have_been():
    assert opening(Window(start="22:00", end="02:30", zone=BERLIN), local("2026-03-28 23:00")).ends == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )


def test_an_opening_that_clocks_swallow_is_passed_over():
    found = opening(Window(start="02:30", end="03:00", zone=BERLIN), local("2026-03-29 00:00"))
    assert found.begins == local("2026-03-30 02:30")


def test_it_opens_on_its_days_only_and_the_morning_after_belongs_to_them():
    weekdays = Window(start="22:00", end="06:00", zone=BERLIN, days=("fri",))
    assert opening(weekdays, local("2026-11-21 03:00")).evening.isoformat() == "2026-11-20"
    assert opening(weekdays, local("2026-11-21 07:00")).evening.isoformat() == "2026-11-27"


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),
    st.tuples(*[st.integers(0, 23), st.integers(0, 59)] * 2).filter(lambda t: t[:2] != t[2:]),
    st.sampled_from(ZONES),
    st.sets(st.sampled_from(DAYS), min_size=1),
)
def test_the_opening_found_is_the_first_that_has_not_ended(moment, times, zone, days):
    now = moment.replace(tzinfo=UTC)
    window = Window(
        start=f"{times[0]:02}:{times[1]:02}", end=f"{times[2]:02}:{times[3]:02}", zone=zone, days=tuple(days)
    )
    found = opening(window, now)
    assert found.begins < found.ends
    assert now < found.ends
    assert DAYS[found.evening.weekday()] in days
    assert found.ends - found.begins <= timedelta(hours=26)
    assert found.begins - now <= timedelta(days=15)
    assert found.begins <= stops_at(window, found) <= found.ends
    # No other begins between now and this one: asked from its begin, it is the same.
    assert opening(window, found.begins) == found


def test_cron_has_the_days_in_order_and_none_where_it_is_every_day():
    assert cron(NIGHT) == "0 22 * * *"
    assert cron(Window(start="05:07", end="06:00", days=("fri", "mon"))) == "7 5 * * mon,fri"


def test_for_people():
    assert hours(Window(start="22:00", end="06:00", days=("mon",))) == "22:00\N{EN DASH}06:00 UTC on mon"
    assert clock(NIGHT, datetime(2026, 11, 22, 5, 0, tzinfo=UTC)) == "Sun 06:00"


def test_a_night_stops_before_the_end_but_not_before_it_could_begin():
    found = opening(NIGHT, local("2026-11-20 23:00"))
    assert stops_at(NIGHT, found) == found.ends - timedelta(minutes=5)
    short = NIGHT.model_copy(update={"spare_minutes": 600.0})
    assert stops_at(short, found) == found.begins + timedelta(hours=4)
