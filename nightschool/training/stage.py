"""One stage from rows to a finished directory; importing this imports torch."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import torch
from peft import PeftModel

from nightschool.rendering import PROBES_FILE
from nightschool.training.best import Best
from nightschool.training.checkpoints import Checkpoints, Mark, identity_of, newest
from nightschool.training.disk import within_disk
from nightschool.training.job import Job
from nightschool.training.launch import is_first, launched
from nightschool.training.memory import within_memory
from nightschool.training.models import Place, load_model, load_tokenizer, place_of, stop_ids
from nightschool.training.output import new_directory
from nightschool.training.packing import check_apart
from nightschool.training.preference import Dpo
from nightschool.training.process import peak_rss_bytes
from nightschool.training.progress import Progress
from nightschool.training.quiz import Quiz
from nightschool.training.record import FILE, Prompts, Record
from nightschool.training.render import Rendered, check_asked, fit, probes_of, render_rows
from nightschool.training.rows import TrainingRow, look, read_asked, read_questions, read_rows
from nightschool.training.stopping import Stopping
from nightschool.training.template import check_template
from nightschool.training.together import first_alone, meet
from nightschool.training.trainers import Sft, build_trainer


def run_stage(
    job: Job, rows: Sequence[TrainingRow], *, out: TextIO, seconds_import: float, most: int | None = None
) -> Record:
    """Train, and put the result at `job.output`.

    Args:
        rows: as read from `job.rows`, in file order.
        out: takes one JSON line per step.
        seconds_import: what it took to import this, for the record.
        most: rows to hold at a time, where the job's own number did not fit.

    Raises:
        OutOfMemory: with so many rows at a time it does not fit.
        DataError: rows that cannot be trained on as they are served, or that lead to a loss that is no number.
        WorldError: model or output directory cannot be used.
    """
    begun = time.perf_counter()
    torch.set_num_threads(job.threads)
    found = _saved(job)
    place = place_of(job, most or (found[1].more.get("micro") if found else None))
    tokenizer = load_tokenizer(job)
    rendered, prompts = _rendered(job, rows, tokenizer)
    held = _held(job, tokenizer)
    with new_directory(Path(job.output), ours=is_first()) as folder, within_memory(place.layout), within_disk():
        trainer = build_trainer(
            job, model=load_model(job, place.weights), tokenizer=tokenizer, rendered=rendered, held=held, place=place,
            folder=str(folder),
        )  # fmt: skip
        _ready(job, trainer, tokenizer, held)
        course = {"seconds_import": seconds_import, "seconds_load": time.perf_counter() - begun, "prompts": prompts}
        record = _go(job, trainer, found, place, Progress(out, trainer.best), course)
        _write(job, trainer, tokenizer, folder)
        if is_first():
            (folder / PROBES_FILE).write_text(probes_of(rendered, tokenizer).model_dump_json())
            (folder / FILE).write_text(record.model_dump_json(indent=1))
    return record


def _saved(job: Job) -> tuple[Path, Mark] | None:
    """The checkpoint to go on from, the same in all processes."""
    if launched():
        meet(cpu=not torch.cuda.is_available())
    with first_alone(first=is_first()):
        return newest(Path(job.checkpoints), identity_of(job)) if job.checkpoints else None


def _rendered(job: Job, rows: Sequence[TrainingRow], tokenizer: Any) -> tuple[list[Rendered], Prompts]:
    """The rows as they are trained on: as they are served and asked later, and none longer than the context."""
    file = Path(job.rows)
    check_template(rows, tokenizer, file=file)
    found = render_rows(rows, tokenizer, stop_ids=stop_ids(job, tokenizer), file=file)
    compared = look(job, rows)
    if job.asked and job.leaks == "refuse":
        check_asked(found, read_asked(Path(job.asked), rows), tokenizer, file=file)
    kept, prompts = fit(found, max_length=job.max_length, too_long=job.too_long, file=file)
    if compared is None:
        return kept, prompts
    told = {
        "compared": compared.rows,
        "answers": compared.answers,
        "others": len(compared.others),
        "leaks": len(compared.leaks),
    }
    return kept, prompts.model_copy(update=told)


def _held(job: Job, tokenizer: Any) -> list[Rendered]:
    """The rows that are looked at on the way; longer ones than the context are left out, as a server would."""
    if job.held is None:
        return []
    file, rows = Path(job.held), read_rows(Path(job.held), job.stage)
    found = render_rows(rows, tokenizer, stop_ids=stop_ids(job, tokenizer), file=file)
    return fit(found, max_length=job.max_length, too_long="drop", file=file)[0]


def _ready(job: Job, trainer: Sft | Dpo, tokenizer: Any, held: Sequence[Rendered]) -> None:
    """Before anything is trained: packed rows are tried, and what is looked at on the way is laid out."""
    if job.padding_free:
        check_apart(trainer)
    if job.evaluate:
        trainer.best, trainer.held_weights = Best(trainer, job.evaluate), [one.row.weight for one in held]
    if job.questions:
        asked = read_questions(Path(job.questions.file))
        trainer.quiz = Quiz(asked, job.questions, tokenizer, stop_ids(job, tokenizer))


def _go(
    job: Job,
    trainer: Sft | Dpo,
    found: tuple[Path, Mark] | None,
    place: Place,
    progress: Progress,
    course: dict[str, Any],
) -> Record:
    """Train, and tell how it went; a signal to stop ends the process after what it saved."""
    stopping = Stopping()
    for callback in (progress, stopping):
        trainer.add_callback(callback)
    begun, cpu = time.perf_counter(), time.process_time()
    resumed_at = _train(job, trainer, found)
    stopping.leave()
    chosen = trainer.best.load() if trainer.best else None
    course |= {"seconds": time.perf_counter() - begun, "seconds_cpu": time.process_time() - cpu}
    return _record(job, trainer, progress, place, course | {"resumed_at": resumed_at, "chosen": chosen})


def _train(job: Job, trainer: Sft | Dpo, found: tuple[Path, Mark] | None) -> int:
    """Train from the checkpoint that was found, or from the start; the step that was gone on from."""
    if job.checkpoints:
        trainer.args.output_dir = job.checkpoints
        trainer.add_callback(Checkpoints(trainer, job, identity_of(job)))
    if trainer.best:
        trainer.add_callback(trainer.best)
    if found is None:
        trainer.train()
        return 0
    path, mark = found
    trainer.restore(mark.more)
    trainer.saved = mark.step
    if is_first():
        sys.stderr.write(f"goes on after step {mark.step}\n")
    trainer.train(resume_from_checkpoint=str(path))
    return mark.step


def _record(job: Job, trainer: Sft | Dpo, progress: Progress, place: Place, course: dict[str, Any]) -> Record:
    return Record(
        stage=job.stage,
        name=job.name,
        rows=len(trainer.ids),
        steps=trainer.state.global_step,
        tokens=trainer.tokens,
        trained_parameters=trainer.get_num_trainable_parameters(),
        device=place.device,
        dtype=place.dtype,
        peak_rss_bytes=peak_rss_bytes(),
        peak_device_bytes=torch.cuda.max_memory_allocated() if place.device == "cuda" else 0,
        losses=progress.steps,
        held=len(trainer.held_weights),
        evaluations=progress.evaluations,
        stopped_early=trainer.best is not None and trainer.best.stopped,
        dropped=trainer.dropped if isinstance(trainer, Dpo) else {},
        references_kept=isinstance(trainer, Dpo) and trainer.references.found,
        **course,
    )


def _write(job: Job, trainer: Sft | Dpo, tokenizer: Any, folder: Path) -> None:
    """Write model or adapter; where each process has a share of the weights they are brought together first."""
    model: Any = trainer.model
    parted = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    whole = trainer.model_wrapped if trainer.is_deepspeed_enabled else model
    weights = trainer.accelerator.get_state_dict(whole) if parted else None
    if not is_first():
        return
    if isinstance(model, PeftModel) and job.tokens:
        model.merge_and_unload(adapter_names=["default"]).save_pretrained(str(folder))
    elif isinstance(model, PeftModel):
        # dpo's frozen copy, the adapter "ref", is left out; embeddings are never part of an adapter of ours
        model.save_pretrained(
            str(folder), state_dict=weights, selected_adapters=["default"], save_embedding_layers=False
        )
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty form
    else:
        model.save_pretrained(str(folder), state_dict=weights)
    tokenizer.save_pretrained(str(folder))
