"""From a recipe's window and a moment to the opening that counts, and to the schedule that begins it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nightschool.recipe.window import DAYS, Window

_WEEK = 9  # days to look ahead: one a week, and the one that a change of clocks swallowed


@dataclass(frozen=True, slots=True)
class Opening:
    """One evening's window, in UTC; `evening` is the day on which it opens where it is."""

    evening: date
    begins: datetime
    ends: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether it is open then."""
        return self.begins <= moment < self.ends


def opening(window: Window, moment: datetime) -> Opening:
    """The opening in which the moment lies, or else the next one.

    By the clock of its zone: on the night in which clocks change it is an hour shorter or longer. A time that clocks
    leave out is as late as it would have been; one that comes twice is the first.

    Args:
        moment: aware of its time zone.
    """
    today = moment.astimezone(ZoneInfo(window.zone)).date()
    days = (today + timedelta(days=ahead) for ahead in range(-1, _WEEK + 7))
    found = (_on(window, day) for day in days if DAYS[day.weekday()] in window.days)
    return next(one for one in found if one.ends > max(moment, one.begins))


def _on(window: Window, day: date) -> Opening:
    later = day if window.end > window.start else day + timedelta(days=1)
    return Opening(day, _moment(day, window.start, window.zone), _moment(later, window.end, window.zone))


def _moment(day: date, clock: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone)).astimezone(UTC)


def stops_at(window: Window, one: Opening) -> datetime:
    """When a night that isn't done stops; never before the opening's middle."""
    spare = timedelta(minutes=window.spare_minutes)
    return one.ends - min(spare, (one.ends - one.begins) / 2)


def cron(window: Window) -> str:
    """When it opens, as cron says it in the window's zone."""
    hour, minute = (int(part) for part in window.start.split(":"))
    days = "*" if set(window.days) == set(DAYS) else ",".join(day for day in DAYS if day in window.days)
    return f"{minute} {hour} * * {days}"


def hours(window: Window) -> str:
    """For people: "22:00-06:00 Europe/Berlin on mon, tue"."""
    on = "" if set(window.days) == set(DAYS) else f" on {', '.join(day for day in DAYS if day in window.days)}"
    return f"{window.start}\N{EN DASH}{window.end} {window.zone}{on}"


def clock(window: Window, moment: datetime) -> str:
    """A moment by the window's clock, for people: "Sun 06:00"."""
    return moment.astimezone(ZoneInfo(window.zone)).strftime("%a %H:%M")
