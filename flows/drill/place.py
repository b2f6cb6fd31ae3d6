"""A folder in which nights are drilled: a recipe, a store, the servers' tallies, and night processes to do harm to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
from pydantic import BaseModel, ConfigDict

from blocks.pid_file import PidFile
from blocks.scripted.tally import Tally, read_tally
from blocks.turns import OFF, VARIABLE
from nightschool.errors import WorldError
from nightschool.recipe.load import dump_recipe
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.script import Script
from tasks.night import Night
from tasks.steps import STEPS

DEADLINE_S = 180.0
_ROOT = Path(__file__).resolve().parents[2]
_POLL_S = 0.02
# What a night may end with: done, a gate failed, the world failed, stopped by a signal.
_CODES = (0, 1, 3, 130)


class Hung(WorldError):
    """A night that did not come to its end in time."""


class _AnyRow(BaseModel):
    model_config = ConfigDict(extra="allow")


Rows = dict[str, list[str]]


@dataclass(frozen=True)
class Place:
    """The folder and the recipe that its next night runs; `recipe.store` lies in the folder.

    `variables` are put into the environment of its nights.
    """

    folder: Path
    recipe: Recipe
    variables: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of ours as a user would start it, in a process group of its own; `run` unless another is given."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "recipe.yaml"
        file.write_text(dump_recipe(self.recipe), encoding="utf-8")
        # -P keeps whatever lies in the current folder from passing for one of our modules.
        command = [sys.executable, "-P", "-m", "flows.cli", *(arguments or ("run", str(file)))]
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        env = os.environ | {"PYTHONPATH": path, "PREFECT_HOME": str(self.folder / "prefect"), VARIABLE: OFF}
        env |= self.variables
        env.pop("PREFECT_API_URL", None)
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        # A night whose disk is full can still tell it: to a pipe, that is, and not to a file on the same disk.
        threading.Thread(target=_copy, args=(process.stdout, self.folder / "night.log"), daemon=True).start()
        return process

    def finish(self, process: subprocess.Popen[bytes], *codes: int) -> int:
        """Wait for its end; the exit code.

        Args:
            codes: those that will do; by default all that a night may end with.

        Raises:
            Hung: it does not end; it is killed then.
            WorldError: it ended with another code.
        """
        try:
            code = process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            kill(process)
            raise Hung(f"hangs: killed after {DEADLINE_S:.0f} s") from None
        if code not in (codes or _CODES):
            raise WorldError(f"exit code {code}; see {self.folder / 'night.log'}")
        return code

    def until_asked(self, process: subprocess.Popen[bytes], count: int) -> None:
        """Wait until the servers were asked so often, or the night has ended."""
        self.until(process, lambda: self.asked() >= count)

    def until(self, process: subprocess.Popen[bytes], so: Callable[[], bool]) -> None:
        """Wait until something is so, or the night has ended.

        Raises:
            Hung: neither comes about.
        """
        ends = time.monotonic() + DEADLINE_S
        while not so() and process.poll() is None:
            if time.monotonic() > ends:
                kill(process)
                raise Hung(f"nothing happens: killed after {DEADLINE_S:.0f} s")
            time.sleep(_POLL_S)

    def tallies(self) -> list[Tally]:
        """What each server has counted so far."""
        return [read_tally(Path(script.tally)) for script in self._scripts() if script.tally]

    def asked(self) -> int:
        """How often the servers were asked so far."""
        files = [Path(script.tally) for script in self._scripts() if script.tally]
        return sum(file.read_bytes().count(b"asked ") for file in files if file.exists())

    def server(self, teacher: str) -> psutil.Process | None:
        """The model server of a teacher, if it is up."""
        for file in sorted((self.folder / "runs" / "nights").glob(f"*/servers/{teacher}*.pid.json")):
            marked = PidFile.model_validate_json(file.read_bytes()).server.find()
            served = [each for each in _family(marked.pid) if "blocks.scripted" in _line(each)] if marked else []
            if served:
                return served[-1]
        return None

    def night(self) -> Night:
        """The night as it is on file."""
        return Night.open(self.folder / "runs", self.recipe.name)

    def remade(self) -> list[str]:
        """The damaged chunks that the report says were made anew."""
        return json.loads((self.night().dir / "report.json").read_bytes())["remade"]

    def rows(self) -> Rows:
        """Kept rows of every phase, in order, by phase and teacher; nothing of a phase that was not reached."""
        night = self.night()
        found: Rows = {}
        for phase, step in STEPS.items():
            for chunk, _ in night.made(step.chunks(night)):
                rows = found.setdefault(f"{phase}/{chunk.part}", [])
                rows += [row.model_dump_json() for row in night.store.rows(chunk, _AnyRow)]
        return found

    def _scripts(self) -> list[Script]:
        return [teacher.script for teacher in self.recipe.teachers if teacher.script]


def kill(process: subprocess.Popen[bytes]) -> int:
    """kill -9 for the whole process group; how many of its processes outlived it by more than a few seconds."""
    family = _family(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _, left = psutil.wait_procs(family, timeout=20)
    return len(left)


def prefect_of(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """The Prefect server of a night."""
    return next((each for each in reversed(_family(process.pid)) if "prefect.server" in _line(each)), None)


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _copy(output: IO[bytes], log: Path) -> None:
    with log.open("ab") as file:
        for line in output:
            file.write(line)
            file.flush()


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
