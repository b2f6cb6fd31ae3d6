"""Prefect for a night that a person started in a terminal: silent there, its log in a file beside the night."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blocks.store import writing

# The night's errors are told once, by the command line; Prefect's own telling (with traceback) goes to the log.
_ENVIRONMENT = {
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # measured: 18 s the first time on an idle machine
    "DO_NOT_TRACK": "1",
}
_FORMAT = "%(asctime)s | %(levelname)-7s | %(name)s - %(message)s"


@contextmanager
def by_itself(log: Path) -> Iterator[None]:
    """Sets Prefect up (this loads it) and sends all its words to `log` while inside.

    Raises:
        WorldError: the log cannot be written.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with writing(log.parent):
        handler = logging.FileHandler(log, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    import prefect.main  # sets logging up: what comes after stays  # noqa: F401
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    logging.captureWarnings(True)
    logging.getLogger().addHandler(handler)
    # Every call of a flow waits a second for its heartbeat's thread, and without a server nobody hears it.
    quick: dict[Any, None] = {} if PREFECT_API_URL.value() else {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    try:
        with temporary_settings(quick):
            yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
