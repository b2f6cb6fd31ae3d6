"""How a command ends when it fails: on one screen, without a traceback, with the exit code of its kind."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from flows.cli.output import say
from nightschool.errors import NightError, Stopped

WORLD_FAILED = 3
_MOST_LINES = 30


class Ending:
    """Turns whatever comes out into one screen and an exit code."""

    def __enter__(self) -> None:
        # As Ctrl-C: Prefect ends the run in order, and hands the signal on to us.
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        match error:
            case KeyboardInterrupt() | SystemExit(code=130):  # Typer makes the second out of the first
                say.print(str(Stopped()))
                sys.exit(Stopped.exit_code)
            case None | SystemExit():
                return
            case NightError():
                _print_short(str(error) or type(error).__name__)
                sys.exit(error.exit_code)
            case BrokenPipeError():
                # Whoever read our output has gone; stdout is pointed away so that its flush at exit is quiet too.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(WORLD_FAILED)
            case _:
                story = f"This is a bug in nightschool. The whole story is in {log_bug(error)}"
                _print_short(f"{type(error).__name__}: {str(error)[:2000]}\n{story}")
                sys.exit(WORLD_FAILED)


def log_bug(error: BaseException) -> Path:
    """Write an exception with its traceback to a file of its own in the temporary folder."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    log = Path(tempfile.gettempdir()) / f"nightschool-bug-{moment}-{os.getpid()}.log"
    logger = logging.getLogger("nightschool.bug")
    logger.propagate = False
    handler = logging.FileHandler(log, encoding="utf-8")
    logger.addHandler(handler)
    logger.error("%s %s", moment, " ".join(sys.argv[1:]), exc_info=error)
    logger.removeHandler(handler)
    handler.close()
    return log


def _print_short(text: str) -> None:
    lines = text.splitlines()
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"... {len(lines) - _MOST_LINES} more lines"]
    say.print("\n".join(lines), soft_wrap=True, style="red" if say.is_terminal else None)
