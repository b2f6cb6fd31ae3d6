"""A night shift to measure: Prefect's server, a worker behind a network that can be cut, teachers that count."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cut_proxy import Proxy
from benchmarks.night_kills import teachers
from blocks import kept, prefect_server
from blocks.server_process import free_port
from flows.deployments import register
from nightschool.recipe.load import dump_recipe, find_recipe, load_recipe
from nightschool.wire import Endpoint
from tasks.night import Night
from tasks.status import NightStatus, status

LIMIT_S = 900.0


@dataclass
class Shift:
    """Server, worker behind a proxy, and the nights that they run."""

    port: int
    proxy: Proxy
    home: Path
    folder: Path
    endpoints: list[Endpoint]
    said: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The server's reply, asked until it answers: it may be away."""
        while True:
            code, reply = prefect_server.call(self.port, method, path, body)
            if code in (200, 201, 204):
                return reply
            if 400 <= code < 500:
                raise SystemExit(f"{method} {path}: {code} {reply}")
            time.sleep(0.5)

    def start(self, name: str, sets: tuple[str, ...], seed: int) -> str:
        """A night's run."""
        recipe = load_recipe(find_recipe("smoke"), sets=[*self._sets(sets), f"seed={seed}"])
        file = self.folder / f"{name}.yaml"
        file.write_text(dump_recipe(recipe), encoding="utf-8")
        deployment = self.ask("GET", "/deployments/name/night/night")["id"]
        body = {"parameters": {"recipe": str(file), "name": name}, "enforce_parameter_schema": False}
        return self.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"]

    def _sets(self, sets: tuple[str, ...]) -> Iterator[str]:
        yield f"store={self.folder / 'runs'}"
        for number, endpoint in enumerate(self.endpoints):
            where = f"teachers.{number}"
            yield f"{where}.script=null"
            yield f"{where}.engine=endpoint"
            yield f"{where}.key_env={endpoint.key_env}"
            yield f"{where}.urls=[{', '.join(endpoint.urls)}]"
        yield from sets

    def state(self, run: str) -> dict[str, Any]:
        return self.ask("GET", f"/flow_runs/{run}")["state"]

    def night(self, name: str) -> NightStatus | None:
        """Where a night stands, once it has begun."""
        if not (self.folder / "runs" / "nights" / name / "night.json").exists():
            return None
        return status(Night.open(self.folder / "runs", name))

    def worker(self) -> psutil.Process:
        return _child(f"--pool {prefect_server.POOL}")

    def server(self) -> psutil.Process:
        return _child("server start")

    def process(self) -> list[psutil.Process]:
        """The night's process, and all that it started."""
        [engine] = [one for one in self.worker().children() if one.status() != psutil.STATUS_ZOMBIE]
        return [engine, *engine.children(recursive=True)]


def _child(words: str) -> psutil.Process:
    """The process under a guard of ours whose command has these words."""
    for one in psutil.Process().children(recursive=True):
        command = " ".join(one.cmdline())
        if words in command and "guard.py" not in command:
            return one
    raise SystemExit(f"no process of {words}")


@contextmanager
def shift_in(folder: Path) -> Iterator[Shift]:
    """All of it up, and started again when it dies, as `nightschool up` does."""
    port, home = free_port(), folder / "prefect"
    home.mkdir(parents=True)
    os.environ["PREFECT_HOME"] = str(home)
    os.environ["NIGHTSCHOOL_TURNS"] = str(folder / "turns")
    with teachers(folder) as endpoints, Proxy(port) as proxy:
        parts = {"the server": partial(prefect_server.server, port, home)}
        parts |= {"the worker": partial(prefect_server.worker, proxy.port, home)}
        with kept.kept(parts) as running:
            register(port, home)
            over = threading.Event()

            def look() -> None:
                while not over.wait(0.5):
                    running.look(lambda line: print(f"    {line}", file=sys.stderr, flush=True))

            thread = threading.Thread(target=look, daemon=True)
            thread.start()
            yield Shift(port, proxy, home, folder, endpoints)
            over.set()
            thread.join()


def until(ready: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {limit_s:.0f} s")
        time.sleep(0.2)
    return found
