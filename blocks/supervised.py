"""One server kept up: started, watched, and started again on its port when it dies, a bounded number of times."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from blocks.server_process import ServerProcess, free_port
from blocks.servers import ServerSpec
from nightschool.errors import NightError

State = Literal["down", "starting", "up", "resting", "lost"]
_FIRST_REST_S, _MAX_REST_S = 1.0, 60.0
# A server that is busy may be slow to say that it is well; one that says the contrary knows.
_LOOK_EVERY_S, _ILL_S, _SILENT_S = 5.0, 15.0, 120.0


@dataclass(frozen=True, slots=True)
class Death:
    """A server that died in service: how, with the end of its log; `again_in_s` is None if it is given up."""

    server: str
    how: str
    log: Path
    count: int
    again_in_s: float | None

    @property
    def line(self) -> str:
        """What happened and what comes of it, for people."""
        first = self.how.partition("\n")[0].removeprefix("model server ")
        after = "given up" if self.again_in_s is None else f"starts again in {self.again_in_s:g} s"
        return f"{first}; {after}, log {self.log}"


class Supervised:
    """A replica of a model. Not safe for threads: whoever calls it holds the fleet's lock.

    `deaths` counts those in service since the fleet was made; `error` says why it is not up.
    """

    def __init__(
        self,
        spec: ServerSpec,
        number: int,
        *,
        key: str,
        log_dir: Path,
        say: Callable[[str], None],
        on_death: Callable[[Death], None],
    ) -> None:
        self.spec = spec
        self.name = spec.replica(number)
        self.state: State = "down"
        self.error: NightError | None = None
        self.deaths = 0
        self.port = 0
        self._number, self._key, self._log_dir = number, key, log_dir
        self._say, self._on_death = say, on_death
        self._log = log_dir / f"{self.name}.log"
        self._process: ServerProcess | None = None
        self._served = False
        self._restarts = 0
        self._due = self._well = self._next_look = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def coming(self) -> bool:
        """Whether it is on its way up."""
        return self.state in ("starting", "resting")

    def start(self) -> None:
        """Start it unless it is up or on its way; the count of its restarts begins anew."""
        if self.state not in ("down", "lost"):
            return
        if self.state == "down":
            self._log.unlink(missing_ok=True)
        self._restarts, self._served = 0, False
        self._launch()

    def look(self) -> None:
        """Notice what has become of it, and do what is due."""
        process = self._process
        if self.state == "resting" and time.monotonic() >= self._due:
            self._launch()
        elif self.state == "up" and process is not None:
            self._look_after(process)
        elif self.state == "starting" and process is not None:
            try:
                if process.check():
                    self._say(f"{self.name}: up after {process.age_s():.1f} s")
                    self.state, self._served, self.error = "up", True, None
                    self._well = time.monotonic()
                    self._next_look = self._well + _LOOK_EVERY_S
            except NightError as error:
                self._failed(error)

    def _look_after(self, process: ServerProcess) -> None:
        """A server may outlive its engine, or hang: one that is not well for long is as good as dead."""
        now = time.monotonic()
        if not process.is_up():
            self._failed(process.death())
        elif now >= self._next_look:
            self._next_look = now + _LOOK_EVERY_S
            health = process.health()
            if health == "well":
                self._well = time.monotonic()
            elif now - self._well > (_ILL_S if health == "ill" else _SILENT_S):
                self._failed(process.illness(now - self._well))

    def describe_start(self) -> str:
        """How long it has been starting, for people."""
        age_s = self._process.age_s() if self._process else 0.0
        return f"{self.name}: starting for {age_s:.0f} s, log {self._log}"

    def rss_bytes(self) -> int:
        """Resident memory of the server with all its processes; 0 when it has none."""
        return self._process.rss_bytes() if self._process else 0

    def tell_to_end(self) -> None:
        """Ask for an orderly end; returns at once."""
        if self._process:
            self._process.tell_to_end()

    def end(self) -> None:
        """End it and wait until it has."""
        if self._process:
            self._process.end()
        self._process, self.state = None, "down"

    def _launch(self) -> None:
        # One that had been up keeps its port, so that its endpoints stay good.
        self.port = self.port if self.port and (self._served or self.deaths) else free_port()
        self.state = "starting"
        try:
            self._process = ServerProcess(self.spec, self._number, self._key, self._log_dir, self.port)
        except NightError as error:
            self._process = None
            self._failed(error)

    def _failed(self, error: NightError) -> None:
        """One that never served is not tried again: what stopped it will be there the next time."""
        self.end()
        self.state, self.error = "lost", error
        if not self._served:
            return
        self.deaths += 1
        rest_s = None
        if self._restarts < self.spec.restarts:
            rest_s = min(_MAX_REST_S, _FIRST_REST_S * 2**self._restarts)
            self._restarts += 1
            self._due = time.monotonic() + rest_s
            self.state = "resting"
        self._on_death(Death(self.name, str(error), self._log, self.deaths, rest_s))
