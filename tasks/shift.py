"""A night in its window: what it gives up to be done by the end, and how it stops if it is not."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from blocks import process
from blocks.disk import writing
from nightschool.errors import WindowClosed
from nightschool.estimate import Evening, Outlook
from nightschool.forecast import forecast
from nightschool.giving_up import Chosen, Decision, decide, told
from nightschool.recipe.window import Fallback
from nightschool.report.text import duration, plain
from nightschool.window import Opening, clock, opening, stops_at
from tasks import crew, given_up, making, progress
from tasks.given_up import Choice, GivenUp
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.outlook import ahead, evenings
from tasks.step import Step
from tasks.steps import STEPS

_LOOK_EVERY_S = 1.0
_PLACES = {phase: place for place, phase in enumerate(STEPS)}
_EARLY = timedelta(minutes=2)  # a worker fetches its runs a little ahead


def moment() -> datetime:
    """Now."""
    return datetime.now(UTC)


def held(night: Night) -> list[str]:
    """How a night that has not begun stands to its window, for people; nothing where it has none."""
    if night.recipe.window is None:
        return []
    first = GivenUp(choices=given_up.standing(night.recipe, given_up.given_up(night.dir).choices)).line
    return [*([first] if first else []), *Shift(night, Ledger(night.dir)).lines()]


class Replanned(Exception):
    """The night has given something up: it goes through its phases again, and finds there what has not changed."""


class Shift:
    """One run of a night, held against its window; without one, nothing is held against anything.

    `night` is the night as it is by now, `decided` what was found last.
    """

    def __init__(self, night: Night, ledger: Ledger, now: Callable[[], datetime] | None = None) -> None:
        self.night = night
        self.decided: Decision | None = None
        self.opening: Opening | None = None
        self._ledger, self._now = ledger, now or moment
        self._window, self._earlier = night.recipe.window, list[Evening]()
        self._gone_by: set[str] = set()
        self._at = 0
        if self._window:
            self.opening, self._earlier = opening(self._window, self._now()), evenings(night)

    @property
    def left_s(self) -> float:
        """Seconds until the night has to stop."""
        if self._window is None or self.opening is None:
            return math.inf
        return (stops_at(self._window, self.opening) - self._now()).total_seconds()

    @property
    def outside(self) -> bool:
        """Whether the window is shut: a night that nobody starts by hand waits for it."""
        return self.opening is not None and not self.opening.holds(self._now() + _EARLY)

    def settle(self) -> None:
        """Puts on file what of the night's earlier choices is still in effect."""
        before = given_up.given_up(self.night.dir)
        kept = GivenUp(choices=given_up.standing(self.night.recipe, before.choices))
        if kept != before:
            given_up.write(self.night.store, self.night.dir, kept)

    def passed(self, step: Step) -> bool:
        """Whether the phase went by before the night gave something up, and lacks nothing since."""
        if step.phase not in self._gone_by:
            return False
        chunks = step.chunks(self.night)
        return bool(chunks) and len(self.night.made(chunks)) == len(chunks)

    def look(self, phase: str) -> None:
        """Before a phase: whether the night will be done in time, and what it must give up now if not.

        Raises:
            WindowClosed: the time is over.
            Replanned: something was given up.
        """
        if self._window is None:
            return
        if self.left_s <= 0:
            raise self.closed()
        if phase not in [one.phase for one in forecast(self.night.recipe)]:
            return
        self._at = max(self._at, _PLACES[phase])
        self.decided = self.decide(phase)
        self._note(phase, self.decided)
        if self.decided.now:
            self._give_up(phase, self.decided)

    def _note(self, phase: str, found: Decision) -> None:
        """On file, a line for each look: what the night was thought to need, and what came of it."""
        line = {
            "when": self._now().isoformat(timespec="seconds"),
            "before": phase,
            "left_s": round(self.left_s),
            "needs_s": round(found.whole.seconds),
            "basis": found.whole.basis,
            "word": found.word,
            "gives_up": [one.name for one in found.gives_up],
        }
        with writing(self.night.dir), (self.night.dir / "window.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")

    def decide(self, phase: str = "") -> Decision:
        """What is to become of the night, as it looks before a phase."""
        assert self._window is not None
        at = max(self._at, _PLACES.get(phase, 0))
        until = {one.name: self._until(one) for one in self.night.recipe.fallbacks}
        return decide(
            self.left_s,
            lambda chosen: self._outlook(chosen, phase),
            [one for one in self.night.recipe.fallbacks if until[one.name] >= at],
            margin=self._window.margin,
            last_call=lambda one: until[one.name] <= at,
        )

    def closed(self) -> WindowClosed:
        """Why the night stops, and when it goes on."""
        assert self._window is not None
        assert self.opening is not None
        again = clock(self._window, opening(self._window, self.opening.ends).begins)
        return WindowClosed(
            f"The window closes at {clock(self._window, self.opening.ends)}: the night stopped in order, and goes on "
            f"where it stopped; by its schedule {again}, or by the same command."
        )

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While inside, whatever is being made is ended in order when it is time to stop."""
        if self._window is None:
            yield
            return
        done = threading.Event()

        def watch() -> None:
            while not done.wait(min(_LOOK_EVERY_S, max(0.05, self.left_s))):
                if self.left_s <= 0:
                    progress.notice("the window closes: what is under way ends in order", urgent=True)
                    making.stop()
                    process.end_all()
                    crew.drain(crew.DRAIN_S)
                    return

        watching = threading.Thread(target=watch, name="watching the window", daemon=True)
        watching.start()
        try:
            yield
        finally:
            done.set()
            watching.join()
            making.stop(begin_none=False)

    def lines(self) -> list[str]:
        """How the night stands to its window, for people."""
        if self._window is None or self.opening is None:
            return []
        return told(self.decided or self.decide(), self._window, self.opening, self.left_s)

    def _outlook(self, chosen: Chosen, phase: str) -> Outlook | None:
        night = self._without(chosen) if chosen else self.night
        # Who gives something up begins anew: servers that are up start again.
        return night and ahead(night, self._ledger.run, self._earlier, "" if chosen else phase)

    def _without(self, chosen: Chosen) -> Night | None:
        """This night without what is given up; None where that leaves none."""
        recipe = given_up.without(self.night.recipe, chosen)
        if recipe is self.night.recipe:
            return None
        left = Night.plan(recipe, self.night.name)
        pins = {place: key for place, key in self.night.pins.items() if place in left.keys}
        return replace(left, accepted=self.night.accepted, pins=pins)

    def _until(self, one: Fallback) -> int:
        """The place of the phase up to which it can be chosen: as the recipe says, or the first that it changes."""
        if one.until is not None:
            return _PLACES[one.until]
        here, left = self.night.keys, self._without((one,))
        there = left.keys if left else here
        changed = {place.partition("/")[0] for place in {*here, *there} if here.get(place) != there.get(place)}
        return min((_PLACES[phase] for phase in changed), default=-1)

    def _give_up(self, phase: str, found: Decision) -> None:
        assert self._window is not None
        assert self.opening is not None
        why = (
            f"Before {plain(phase)} the whole night needed about {duration(round(found.whole.seconds))} more, and had "
            f"{duration(round(self.left_s))} until {clock(self._window, self.opening.ends)}."
        )
        when = self._now().isoformat(timespec="seconds")
        before = given_up.given_up(self.night.dir).choices
        chosen = [
            Choice(name=one.name, told=one.told, sets=one.sets, before=phase, when=when, why=why) for one in found.now
        ]
        left = self._without(found.now)
        assert left is not None
        given_up.write(left.store, left.dir, GivenUp(choices=[*before, *chosen]))
        self.night = left
        left.begin()
        self._gone_by = {one.name for one in self._ledger.run.phases}
        raise Replanned
