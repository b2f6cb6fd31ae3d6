"""Checkpoints that are whole or do not count, and the way back to the last one that is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nightschool.training.job import Job
from nightschool.training.together import most_of, wait

MARK = "whole.json"
_ASIDE = "of-"
KEPT = 2  # one to go on from, and the one before, should that be damaged


class Mark(BaseModel):
    """Written last into a checkpoint, so that one without it is half; `more` is what a trainer keeps of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    identity: str
    files: dict[str, str]
    more: dict[str, Any]


class Checkpoints(TrainerCallback):
    """Says when to save, and marks what was saved as whole.

    Args:
        trainer: its `keep()` gives what TRL does not save.
        identity: as from `identity_of`.
    """

    def __init__(self, trainer: Any, job: Job, identity: str) -> None:
        self._trainer, self._job, self._identity = trainer, job, identity
        self._saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        steps, minutes = self._job.save_steps, self._job.save_minutes
        late = 0 if steps else most_of(int(time.monotonic() - self._saved > 60 * minutes), args.device)
        due = state.global_step % steps == 0 if steps else bool(late)
        control.should_save |= due or (control.should_training_stop and state.global_step < state.max_steps)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        control.should_save &= not self._trainer.explosion.doubtful  # comes between a step's end and its saving

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        wait()  # each process has files of its own in it
        self._saved, self._trainer.saved = time.monotonic(), state.global_step
        more = self._trainer.keep()
        if not state.is_world_process_zero:
            return
        marks = {name: _sync(folder / name) for name in _files(folder)}
        mark = Mark(step=state.global_step, identity=self._identity, files=marks, more=more)
        partial = folder / f".{MARK}"
        partial.write_bytes(mark.model_dump_json().encode())
        _sync(partial)
        partial.rename(folder / MARK)


def identity_of(job: Job) -> str:
    """Digest of all that decides the steps of a stage: settings, rows, model; not of where or how fast it runs."""
    named = {"rows": job.rows, "held": job.held, "questions": job.questions and job.questions.file}
    files = {name: file and hashlib.sha256(Path(file).read_bytes()).hexdigest() for name, file in named.items()}
    parts = {**job.identity(), **files, "output": None}
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def newest(folder: Path, identity: str) -> tuple[Path, Mark] | None:
    """The last checkpoint that is whole and of this stage, as is the best one that it names.

    Of the others it is said on stderr what becomes of them. One that is half, or whose best one is lost, is removed.
    One that is whole and of another stage is somebody's work: it is put aside, into a folder named by its identity.
    """
    found: tuple[Path, Mark] | None = None
    marks = {path: _whole(path) for path in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)}
    whole = {mark.step for mark in marks.values() if mark and mark.identity == identity}
    for path, mark in marks.items():
        best = mark and mark.more.get("best", {}).get("step")
        if mark is None or (mark.identity == identity and not (best is None or best in whole)):
            why = "damaged or half" if mark is None else f"without the best one, of step {best}"
            sys.stderr.write(f"checkpoint of step {_step(path)} is {why}: not used\n")
            shutil.rmtree(path)
        elif mark.identity != identity:
            aside = folder / f"{_ASIDE}{mark.identity}"
            shutil.rmtree(aside / path.name, ignore_errors=True)
            aside.mkdir(exist_ok=True)
            path.rename(aside / path.name)
            sys.stderr.write(
                f"checkpoint of step {mark.step} is of other rows or settings: not used, kept in {aside}\n"
            )
        else:
            found = found or (path, mark)
    return found


def _step(path: Path) -> int:
    number = path.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _whole(path: Path) -> Mark | None:
    try:
        mark = Mark.model_validate_json((path / MARK).read_bytes())
        same = all(_digest(path / name) == digest for name, digest in mark.files.items())
    except (OSError, ValidationError):
        return None
    return mark if same and mark.files else None


def _files(folder: Path) -> Iterator[str]:
    yield from sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> str:
    """On the disk, not only with the kernel; the file's digest."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return _digest(path)
