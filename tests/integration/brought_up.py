"""Prefect as `nightschool up` brings it up, and its page in a browser as a person uses it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as TooLate

from blocks import prefect_server
from blocks.server_process import free_port

ROOT = Path(__file__).parents[2]
STARTED = "Ctrl-C stops all."
_PRESS_MS = 30_000
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    port: int
    said: tuple[str, ...]

    def get(self, method: str, path: str, body: object = None) -> Any:
        return asked(self.port, method, path, body)

    def deployment(self, name: str) -> str:
        return self.get("GET", f"/deployments/name/{name}")["id"]

    def start(self, name: str, fields: dict[str, Any]) -> str:
        """A run of a deployment, from Python: a recipe may be a path."""
        body = {"parameters": fields, "enforce_parameter_schema": False, "idempotency_key": uuid4().hex}
        return self.get("POST", f"/deployments/{self.deployment(name)}/create_flow_run", body)["id"]

    def state(self, run: str) -> str:
        return self.get("GET", f"/flow_runs/{run}")["state"]["type"]

    def ended(self, run: str, limit_s: float = 600) -> str:
        """The run's last state, once it has one."""
        return until(limit_s, lambda: state if (state := self.state(run)) in FINAL else None)

    def page(self, path: str) -> str:
        return f"http://{prefect_server.HOST}:{self.port}{path}"


def asked(port: int, method: str, path: str, body: object = None) -> Any:
    """What Prefect's server replies; what does no more when it is asked twice is asked again where none came."""
    deadline = time.monotonic() + 180
    once = method == "GET" or path.endswith("/filter") or (isinstance(body, dict) and "idempotency_key" in body)
    status, reply = prefect_server.call(port, method, path, body)
    while status == 0 and once and time.monotonic() < deadline:
        time.sleep(1)
        status, reply = prefect_server.call(port, method, path, body)
    assert status in (200, 201, 204), f"{method} {path}: {status} {reply}"
    return reply


def until(limit_s: float, ready: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := ready()):
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        time.sleep(0.5)
    return found


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "flows.cli", "up", "--port", str(port)]


@contextmanager
def brought_up(home: Path) -> Iterator[Running]:
    """`nightschool up` on a free port; its nights wait for no other night of this machine."""
    env = {**os.environ, "PREFECT_HOME": str(home), "NIGHTSCHOOL_TURNS": str(home / "turns")}
    port = free_port()
    process = subprocess.Popen(command(port), cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if STARTED in line:
            break
    assert said[-1:] == [f"{STARTED}\n"], f"did not start: {said}"
    try:
        yield Running(process, port, tuple(said))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(120)


class Up:
    """One `nightschool up` for all tests that want one: begun by the first, and again behind a test that ended it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._running: Running | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Up:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def running(self) -> Running:
        if self._running is None or self._running.process.poll() is not None:
            self._stack.close()
            self._running = self._stack.enter_context(brought_up(self.home))
        return self._running


def shoot(page: Page, name: str) -> None:
    """A picture of the page, where somebody wants pictures (NIGHTSCHOOL_SHOTS=folder)."""
    if shots := os.environ.get("NIGHTSCHOOL_SHOTS"):
        page.screenshot(path=Path(shots) / f"{re.sub('[^A-Za-z0-9_.-]+', '-', name)}.png")


def field(page: Page, title: str) -> Locator:
    """A field of a form by its title."""
    label = page.locator(".schema-form-property__label", has_text=re.compile(f"^{re.escape(title)}( \\(Optional\\))?$"))
    return page.locator(".schema-form-property").filter(has=label)


def choose(page: Page, title: str, option: str) -> None:
    """Chooses from a field's list, by keys: its label gives a click on to its button, which closes it again."""
    field(page, title).locator(".p-select-button__control").first.press("Space")
    page.locator(".p-select-option", has_text=re.compile(f"^\\s*{re.escape(option)}\\s*$")).click()


def persist(press: Callable[[], object], done: Callable[[], object]) -> None:
    """Presses what a person presses, again where Prefect's page says "Oops": its database was being written to."""

    def pressed() -> bool:
        with suppress(TooLate):  # what was done at last is no longer there to be pressed
            press()
        deadline = time.monotonic() + 30
        while not (found := done()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return bool(found)

    until(300, pressed)


def press(page: Page, button: str, done: Callable[[], object], confirm: str | None = None) -> None:
    """Presses a button of a run's page, and that of the dialogue that asks whether it is meant, until it is done."""
    dialogue = page.get_by_role("dialog")

    def both() -> None:
        if not dialogue.count():
            page.get_by_role("button", name=button).first.click(timeout=_PRESS_MS)
            shoot(page, f"night_{button.lower()}")
        dialogue.get_by_role("button", name=confirm or button).click(timeout=_PRESS_MS)

    persist(both, done)


def submit(page: Page) -> None:
    """Sends the form of a deployment that is filled in."""
    button = page.get_by_role("button", name="Submit")
    persist(lambda: button.click(timeout=_PRESS_MS), lambda: "tab=Runs" in page.evaluate("location.href"))


def answer(page: Page, row: str, decision: str, who: str = "") -> None:
    """Waits for the form of this row (`Row 1 of 2`) on its run's page, fills it in and sends it."""
    dialogue = page.get_by_role("dialog")

    def shown() -> bool:
        page.get_by_role("button", name="Resume").first.click()
        with suppress(TooLate):  # between two rows there is none to show
            dialogue.get_by_text(re.compile(r"Row \d+ of \d+")).first.wait_for(timeout=10_000)
        if dialogue.get_by_text(row).count():
            return True
        dialogue.get_by_role("button", name="Close").click()
        dialogue.wait_for(state="detached")
        return False

    until(300, shown)
    dialogue.locator("textarea").first.fill(decision)
    if who:
        dialogue.locator("textarea").last.fill(who)
    shoot(page, f"review-{row.split()[1]}")
    send = dialogue.get_by_role("button", name="Submit")
    persist(lambda: send.click(timeout=_PRESS_MS), lambda: not dialogue.count())
