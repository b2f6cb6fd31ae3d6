"""A machine that trains along: waits for the stages that a night calls it to, and has its share in each.

    python -m blocks.along STORE --rank 1

STORE is the folder of the night's store, at the same path on every machine. The recipe's stage says how many machines
there are and where they meet (`machines`, `main_address`); the night's own is number 0, the others count from 1. It
ends when it is told to (SIGTERM, SIGINT), and with it what it trains.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blocks.disk import write_whole
from blocks.process import end_all, run_guarded
from nightschool.errors import NightError, Stopped

CALL = "call"
SAVING_S = 60.0  # a checkpoint of some GB, when a training is asked to stop
_LOOK_EVERY_S = 0.5


@contextmanager
def calling(job: Path, machines: int, say: Callable[[str], None]) -> Iterator[None]:
    """While inside, the other machines of a job find it, if it has any; a second call is another one to them.

    Args:
        say: told what the others have to run, for people.
    """
    if machines == 1:
        yield
        return
    say(f"{machines} machines train together; on each of the others: python -m blocks.along {job.parents[2]} --rank N")
    call = job.with_suffix(f".{CALL}")
    write_whole(call, secrets.token_hex(8).encode())
    try:
        yield
    finally:
        call.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m blocks.along", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path, help="folder of the night's store")
    parser.add_argument("--rank", type=int, required=True, help="which of the machines this one is, from 1")
    given = parser.parse_args()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (over.set(), end_all()))
    _say(f"machine {given.rank} waits for stages in {given.store}")
    seen: set[str] = set()
    while not over.is_set():
        for job, call in _calls(given.store):
            if call not in seen and not over.is_set():
                seen.add(call)
                _train(job, given.rank)
        over.wait(_LOOK_EVERY_S)
    return 0


def _calls(store: Path) -> Iterator[tuple[Path, str]]:
    """Jobs that call for machines, each with the call's own mark."""
    for call in sorted(store.glob(f"*/*/*.{CALL}")):
        try:
            yield call.with_suffix(".json"), call.read_text(encoding="utf-8")
        except OSError:  # just over
            continue


def _train(job: Path, rank: int) -> None:
    command = [sys.executable, "-P", "-m", "nightschool.training", str(job), "--rank", str(rank)]
    log = job.with_suffix(f".{rank}.log")
    try:
        run_guarded(command, log=log, on_line=_hear, known_in=log.parent, grace_s=SAVING_S)
        _say(f"{job}: done")
    except Stopped:
        _say(f"{job}: told to stop")
    except NightError as error:
        _say(f"{job}: {error}")


def _hear(line: dict[str, Any]) -> None:
    if "note" in line:
        _say(str(line["note"]))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
