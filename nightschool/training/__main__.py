"""The command: `python -m nightschool.training JOB.json`."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, TextIO

from nightschool.errors import NightError
from nightschool.training.job import Job, check_adapter, check_model, check_reference, load_job
from nightschool.training.launch import check_launcher, check_rank, devices_of, launch, launched, obey, tell_end
from nightschool.training.output import check_output
from nightschool.training.process import prepare
from nightschool.training.rows import TrainingRow, check_weights, look, read_rows

WORLD = 3


def main() -> int:
    """Train one stage. Steps go to stdout as JSON lines, all else to stderr, whose last line says what went wrong.

    Exit codes: 0 done, 2 a file has to be changed (job, rows), 3 the world failed, 128 + N stopped by signal N.
    """
    parser = argparse.ArgumentParser(prog="python -m nightschool.training", description="Trains one stage.")
    parser.add_argument("job", type=Path, help="JSON file, see nightschool.training.job")
    parser.add_argument("--most", type=int, help="rows to hold at a time, where the job's own number did not fit")
    parser.add_argument("--rank", type=int, default=0, help="which of the job's machines this one is, from 0")
    given = parser.parse_args()
    out = _own_stdout()
    sys.excepthook = partial(_last_words, out)
    if launched():
        obey()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopped)
    try:
        return _train(given.job, given.most, given.rank, out)
    except NightError as error:
        _end(out, error.exit_code, str(error))
        return error.exit_code
    except SystemExit as stopped:
        _end(out, int(str(stopped.code)), f"stopped by {signal.Signals(int(str(stopped.code)) - 128).name}")
        raise


def _train(path: Path, most: int | None, rank: int, out: TextIO) -> int:
    job = load_job(path)
    check_rank(job, rank)
    rows = read_rows(Path(job.rows), job.stage)
    check_weights(job, rows)
    compared = look(job, rows)
    answers = compared.answers if compared else len({row.endings for row in rows})
    if len(rows) > 1 and answers == 1:
        _note(out, f"{job.rows}: all {len(rows)} rows have the same answer: there is one class only to learn")
    check_model(job)
    check_adapter(job)
    check_reference(job)
    check_output(Path(job.output))
    devices = 1 if launched() else devices_of(job)
    if devices > 1 or (job.machines > 1 and not launched()):
        return _launch(job, path, devices, most, rank, out)
    return _here(job, rows, most, out)


def _launch(job: Job, path: Path, devices: int, most: int | None, rank: int, out: TextIO) -> int:
    check_launcher(job)
    if job.machines > 1:
        _note(out, f"machine {rank} of {job.machines}: all of them meet at {job.main_address}:{job.main_port}")
    while (end := launch(job, path, devices, out, most, rank)).get("most"):
        if job.machines > 1:  # the others know nothing of it
            _say(f"out of memory: say micro_batch: {end['most']}, which every machine heeds")
            return 2
        _note(out, end["said"])
        most = end["most"]
    if end["ended"]:
        _say(end["said"])
    return end["ended"]


def _here(job: Job, rows: list[TrainingRow], most: int | None, out: TextIO) -> int:
    prepare(job)
    begun = time.perf_counter()
    from nightschool.training.memory import OutOfMemory, smaller
    from nightschool.training.stage import run_stage

    try:
        run_stage(job, rows, out=out, seconds_import=time.perf_counter() - begun, most=most)
        if launched():
            _leave()
        return 0
    except OutOfMemory as error:
        before, now = error.layout, smaller(error, job)
        said = (
            f"out of memory with {before.micro} rows at a time: begins again with {now.micro}, {now.accumulation} "
            f"times a step, {now.rows} rows per step as before"
        )
        if launched():
            tell_end(out, WORLD, said, most=now.micro)
            os._exit(WORLD)  # the others wait for us
        _note(out, said)
        os.dup2(out.fileno(), 1)
        # Anew and not in this process: its memory is in pieces, and its gradients half added up.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], "--most", str(now.micro)])  # noqa: S606


def _leave() -> None:
    """Close what connects the processes: their threads, left to the interpreter's end, abort it now and then."""
    from torch import distributed

    if distributed.is_initialized():
        distributed.destroy_process_group()


class _Lines(io.TextIOWrapper):
    """Our lines for whoever started us, who may have gone: a night that is cancelled leaves us to save a checkpoint."""

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            with Path(os.devnull).open("wb") as nobody:
                os.dup2(nobody.fileno(), self.fileno())


def _own_stdout() -> TextIO:
    """Keep stdout for our lines: whatever a library prints there goes to stderr from now on."""
    out = _Lines(os.fdopen(os.dup(1), "wb"), encoding="utf-8")
    os.dup2(2, 1)
    return out


def _stopped(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _last_words(out: TextIO, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody expected: the traceback for the log, one line for the reader, and the exit code of the world."""
    traceback.print_exception(kind, error, trace)
    text = " ".join(str(error).split())
    _end(out, WORLD, f"training failed: {kind.__name__}: {text[:500]}")
    os._exit(WORLD)


def _note(out: TextIO, said: str) -> None:
    """Something that whoever watches should see, and the log should keep."""
    _say(said)
    out.write(json.dumps({"note": said}) + "\n")
    out.flush()


def _end(out: TextIO, code: int, line: str) -> None:
    _say(line)
    if launched():
        tell_end(out, code, line)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
