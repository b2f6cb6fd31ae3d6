"""Prefect for a night that a person started in a terminal: silent there, its log in a file beside the night."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from blocks.disk import writing
from blocks.prefect_beside import PrefectBeside, prefect_beside
from flows.stopping import end_in_order
from nightschool.errors import WorldError
from tasks import progress

# The night's errors are told once, by the command line; Prefect's own telling (with traceback) goes to the log.
_ENVIRONMENT = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
}
# Of a server that comes and goes with the night: it has no page on which a person could be asked.
_OURS = {"PREFECT_LOGGING_TO_API_ENABLED": "false", "PREFECT_SERVER_UI_ENABLED": "false"}
_FORMAT = "%(asctime)s | %(levelname)-7s | %(name)s - %(message)s"
_DRAIN_S = 10.0

# Makes Prefect ready for the night whose folder it is, for as long as it is open.
Ready = Callable[[Path], AbstractContextManager[None]]
_LOOK_EVERY_S = 0.5


@contextmanager
def by_itself() -> Iterator[Ready]:
    """Prefect on its way up, with a server if none is configured; what comes out makes it ready for a night."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    around = [part for part in (os.environ.get("NO_PROXY"), "127.0.0.1") if part]
    os.environ["NO_PROXY"] = ",".join(around)
    with ExitStack() as stack:
        server = None if _configured_elsewhere() else stack.enter_context(prefect_beside())
        yield lambda folder: _ready(folder, server)


def _configured_elsewhere() -> bool:
    """Whether a server is named in the environment or in a profile, without Prefect's own seconds of looking."""
    if os.environ.get("PREFECT_API_URL"):
        return True
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    return profiles.is_file() and b"PREFECT_API_URL" in profiles.read_bytes()


@contextmanager
def _ready(folder: Path, server: PrefectBeside | None) -> Iterator[None]:
    """All of Prefect's words go to `night.log` in the folder.

    Raises:
        WorldError: the folder cannot be written, or the server does not come up.
    """
    with ExitStack() as stack:
        stack.enter_context(_logged(folder / "night.log"))
        from prefect.settings import PREFECT_API_URL

        if url := PREFECT_API_URL.value():
            _refuse_silent(url)
        else:
            server = server or stack.enter_context(prefect_beside())
            stack.enter_context(_up(server, folder / "prefect.log"))
        yield


def _refuse_silent(url: str) -> None:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        error = client.api_healthcheck()
    if error is not None:
        mend = "start it (make server), or unset PREFECT_API_URL: a night brings its own"
        raise WorldError(f"Prefect's server does not answer at {url} ({str(error) or type(error).__name__}): {mend}")


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    with writing(log.parent):
        handler = logging.FileHandler(log, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    import prefect.main  # noqa: F401 - it sets logging up: what comes after stays

    logging.captureWarnings(True)
    # A log that cannot be written, as on a full disk, is no reason to fill the screen with tracebacks.
    logging.raiseExceptions = False
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextmanager
def _up(server: PrefectBeside, log: Path) -> Iterator[None]:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    counts = progress.track("prefect", note="its server starts")
    with _configured(server.url), _kept(server, log):
        import flows.night  # noqa: F401 - seconds, in which the server comes up

        server.wait()
        counts.finish("up")
        # Nobody listens for heartbeats, and a flow waits a second for each of its own. No variable switches them off.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), _ends_with(server, log):
            yield
        _drain()


@contextmanager
def _kept(server: PrefectBeside, log: Path) -> Iterator[None]:
    try:
        yield
    finally:
        server.keep(log)


@contextmanager
def _ends_with(server: PrefectBeside, log: Path) -> Iterator[None]:
    """Ends the night when its server has died: every call to it would be tried for minutes, and then hang."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_EVERY_S):
            if server.ended():
                server.keep(log)
                end_in_order(
                    f"Prefect's server has died ({log}). The same command goes on where it stopped.",
                    WorldError.exit_code,
                )

    threading.Thread(target=watch, name="watching prefect", daemon=True).start()
    try:
        yield
    finally:
        done.set()


@contextmanager
def _configured(url: str) -> Iterator[None]:
    """For all threads: temporary settings are those of one."""
    from prefect.context import refresh_global_settings_context

    os.environ.update(PREFECT_API_URL=url, **_OURS)
    refresh_global_settings_context()
    try:
        yield
    finally:
        for name in ("PREFECT_API_URL", *_OURS):
            del os.environ[name]
        refresh_global_settings_context()


def _drain() -> None:
    """Hand the server its last events while it is there."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=_DRAIN_S)
