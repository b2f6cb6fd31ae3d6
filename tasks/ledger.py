"""What this run of a night did: time, chunks, failures, memory; on file after every phase, for the report."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from blocks.disk import write_whole, writing
from nightschool.errors import NightError, Stopped, WindowClosed, WorldError

GoesOn = Literal["window", "world"]


class Failure(BaseModel):
    """A chunk that failed, and why."""

    phase: str
    chunk: int
    label: str
    error: str


class Restart(BaseModel):
    """A model server that died in service: how, with the end of its log; given up for good if it was not `again`."""

    server: str
    when: str
    how: str
    log: str
    again: bool

    @property
    def line(self) -> str:
        """What happened, for people."""
        first = self.how.partition("\n")[0].removeprefix("model server ")
        return f"{first} at {self.when}; {'started again' if self.again else 'given up'}, log {self.log}"


class PhaseRun(BaseModel):
    """One phase of this run: wall seconds, chunks in all, those there already, those that failed; rows that failed.

    `stopped`: the night ended here. `times`: how often it came, as every start of servers does. `lead_s`: of its
    seconds, those in which its trainings did not train yet or any more: imports, model, what is written at the end.
    """

    name: str
    seconds: float = 0.0
    times: int = 0
    chunks: int = 0
    cached_chunks: int = 0
    failed_chunks: int = 0
    failed_rows: int = 0
    stopped: bool = False
    lead_s: float = 0.0


class Start(BaseModel):
    """Servers that were started together, so often and for so many seconds in all until they answered: for which phase,
    whose they are, and on which engines."""

    phase: str
    who: str
    engines: str
    seconds: float = 0.0
    times: int = 0


class Run(BaseModel):
    """The run as it stands on file. Memory in bytes: before, while and after serving, and the most at any time;
    `devices` has the same for each device, by name.

    `remade`: chunks that were whole once and whose files were found damaged, each with what was found. `accepted`:
    phases whose rows an older recipe made, each with what has changed since. `until`: the phase that it was to end
    behind, if it was to end early. `goes_on`: it is for the next run of the night to go on with, because its window
    closed, or because the world failed.
    """

    started: str
    finished: str | None = None
    phases: list[PhaseRun] = Field(default_factory=list)
    starts: list[Start] = Field(default_factory=list)
    failures: list[Failure] = Field(default_factory=list)
    remade: list[str] = Field(default_factory=list)
    accepted: dict[str, str] = Field(default_factory=dict)
    restarts: list[Restart] = Field(default_factory=list)
    memory: dict[str, int] = Field(default_factory=dict)
    devices: dict[str, dict[str, int]] = Field(default_factory=dict)
    stopped_by: str | None = None
    until: str | None = None
    goes_on: GoesOn | None = None

    @property
    def whole(self) -> bool:
        """Whether no later run has anything to go on with."""
        return self.finished is not None and self.goes_on is None and self.until is None


class Ledger:
    """The run being written."""

    def __init__(self, folder: Path, accepted: Mapping[str, str] | None = None) -> None:
        self._at = folder / "run.json"
        self._lock = threading.Lock()
        self.run = Run(started=_now(), accepted=dict(accepted or {}))
        self._before = last_run(folder)

    def phase(
        self,
        name: str,
        *,
        seconds: float,
        chunks: int = 0,
        cached: int = 0,
        failures: list[Failure] | None = None,
        failed_rows: int = 0,
        lead_s: float = 0.0,
        stopped: bool = False,
    ) -> None:
        """A phase is over; one that comes again (serve) is added up."""
        found = next((phase for phase in self.run.phases if phase.name == name), None)
        if found is None:
            found = PhaseRun(name=name)
            self.run.phases.append(found)
        found.seconds += seconds
        found.times += 1
        found.chunks += chunks
        found.cached_chunks += cached
        found.failed_chunks += len(failures or [])
        found.failed_rows += failed_rows
        found.lead_s += lead_s
        found.stopped = stopped
        self.run.failures.extend(failures or [])
        self.save()

    def started(self, phase: str, who: str, engines: str, seconds: float) -> None:
        """Servers answer; their start counts as the phase `serve`, and is known by what it was for."""
        found = next((one for one in self.run.starts if (one.phase, one.who) == (phase, who)), None)
        if found is None:
            found = Start(phase=phase, who=who, engines=engines)
            self.run.starts.append(found)
        found.seconds += seconds
        found.times += 1
        self.phase("serve", seconds=seconds)

    def damaged(self, found: list[str]) -> None:
        """Chunks whose files are not what was written; they are made anew."""
        self.run.remade.extend(found)

    def memory(self, moment: str, count: int) -> None:
        """Bytes in use at a moment: `before` keeps the first, `serving` and `peak` the most, `after` the last."""
        with self._lock:
            _keep(self.run.memory, moment, count)

    def device(self, label: str, moment: str, count: int) -> None:
        """Bytes in use on a device, at the same moments."""
        with self._lock:
            _keep(self.run.devices.setdefault(label, {}), moment, count)

    def died(self, server: str, how: str, log: Path, *, again: bool) -> None:
        """A model server died in service; on file at once."""
        with self._lock:
            self.run.restarts.append(Restart(server=server, when=_now(), how=how, log=str(log), again=again))
        self.save()

    def finish(self, stopped_by: str | None = None, until: str | None = None, goes_on: GoesOn | None = None) -> None:
        """The run is over, or as far as it was to go; one that served nobody says what the last one that did needed."""
        if "serving" not in self.run.memory and "serving" in self._before.memory:
            self.run.memory, self.run.devices = self._before.memory, self._before.devices
        self.run.finished, self.run.stopped_by, self.run.until = _now(), stopped_by, until
        self.run.goes_on = goes_on
        self.save()

    def save(self) -> None:
        with self._lock, writing(self._at.parent):
            write_whole(self._at, self.run.model_dump_json(indent=1).encode())


def _keep(found: dict[str, int], moment: str, count: int) -> None:
    known = found.get(moment)
    if moment == "before" and known is not None:
        return
    found[moment] = max(known or 0, count) if moment in ("serving", "peak") else count


def goes_on(error: NightError) -> GoesOn | None:
    """Whether the next run of a night goes on where this error ended it; None where a person must mend it first."""
    if isinstance(error, WindowClosed):
        return "window"
    return "world" if isinstance(error, (WorldError, Stopped)) else None


def last_run(folder: Path) -> Run:
    """What a night's last run wrote down; an empty run if it wrote nothing."""
    try:
        return Run.model_validate_json((folder / "run.json").read_bytes())
    except (OSError, ValidationError):
        return Run(started="1970-01-01T00:00:00+00:00")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
