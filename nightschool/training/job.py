"""What one training stage is asked to do, readable without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field, ValidationError, model_validator

from nightschool.errors import DataError
from nightschool.recipe.learning import Training
from nightschool.recipe.lora import Lora
from nightschool.recipe.preference import Scheduled
from nightschool.recipe.section import Name, Positive, Section, execution
from nightschool.values.kinds import Fallback

Stage = Literal["sft", "dpo"]


class Questions(Section):
    """Held-back questions to answer on the way, as a night's student is asked them; `file` has what is asked."""

    file: str
    letters: bool = Field(description="replies are JSON with a letter")
    fallback: Fallback = "none"
    max_tokens: Positive = 512


class Job(Training, Scheduled):
    """One stage, whole: everything that the process needs is in this file or named by it.

    `model` is a directory or a hub name. Without `lora` and `adapter` all weights are trained. `adapter` is gone on
    with. `tokens` are added to the vocabulary and their rows trained; what is left then is a whole model. `reference`
    is what dpo is held to: an adapter of the same model, or where all weights are trained a model; `model` itself is
    without any adapter. Left out it is what the stage begins with, frozen as it was found. `asked` is a file of what is
    asked later, a line for each row; without it prompts are compared with none. `held` is a file of rows like `rows`,
    looked at as `evaluate` says and never trained on; `questions` are answered then. `output` must not exist yet.
    `checkpoints` is a folder to save to and to go on from; it is left to whoever puts the output away, so that a kill
    in between costs no more than any other. Without it nothing is saved on the way. `references` is a folder that keeps
    what was computed of a reference, for later runs.
    """

    stage: Stage
    name: Name
    model: str = Field(min_length=1)
    adapter: str | None = None
    reference: str | None = None
    tokens: tuple[str, ...] = ()
    rows: str = Field(min_length=1)
    asked: str | None = None
    held: str | None = None
    questions: Questions | None = None
    output: str = execution(..., min_length=1)
    checkpoints: str | None = execution(None)
    seed: int = Field(0, ge=0, lt=2**32)
    references: str | None = execution(None)
    lora: Lora | None = None
    padding_free: bool = execution(False)

    @model_validator(mode="after")
    def _can_be_evaluated(self) -> Job:
        if (self.evaluate is None) != (self.held is None):
            raise ValueError("evaluate and held come together")
        if self.evaluate and self.evaluate.load_best_model_at_end and self.checkpoints is None:
            raise ValueError("the best checkpoint is to be left, and there is no folder for checkpoints")
        if self.evaluate:
            self.evaluate.fits(self.stage)
        if self.evaluate and self.evaluate.asks != (self.questions is not None):
            raise ValueError("metric_for_best_model: accuracy and questions come together")
        return self


def load_job(path: Path) -> Job:
    """Read a job file.

    Raises:
        DataError: no such file, no JSON, a field unknown, missing or out of range.
    """
    try:
        return Job.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=path) from error
    except ValidationError as error:
        raise DataError(first_fault(error), file=path) from error


def check_model(job: Job) -> None:
    """See that a model named by its folder is there; a hub name is left to the hub's own client.

    Raises:
        DataError: a path, and no model at it.
    """
    path = Path(job.model)
    if (path.is_absolute() or job.model.startswith(".") or path.is_dir()) and not (path / "config.json").is_file():
        raise DataError("no model here: it has no config.json", file=path)


def check_adapter(job: Job) -> None:
    """See that the adapter to go on with is there and is the one that `lora` describes.

    Raises:
        DataError: no adapter in that folder, or its rank or alpha differ from the job's.
    """
    if job.adapter is None:
        return
    found, path = _adapter_config(job.adapter)
    if job.lora is None:
        return
    for field, here, wanted in (("r", found.get("r"), job.lora.r), ("alpha", found.get("lora_alpha"), job.lora.alpha)):
        if here != wanted:
            raise DataError(f"adapter has {field}={here}, the job's lora says {wanted}", file=path)


def check_reference(job: Job) -> None:
    """See that what dpo is held to is there.

    Raises:
        DataError: it is not, or it is an adapter where all weights are trained.
    """
    if job.reference in (None, job.model):
        return
    if job.lora is None and job.adapter is None:
        check_model(job.model_copy(update={"model": job.reference}))
    else:
        _adapter_config(str(job.reference))


def _adapter_config(folder: str) -> tuple[dict[str, object], Path]:
    path = Path(folder) / "adapter_config.json"
    try:
        return orjson.loads(path.read_bytes()), path
    except OSError as error:
        raise DataError("no adapter here", file=path) from error
    except orjson.JSONDecodeError as error:
        raise DataError(f"not JSON: {error}", file=path) from error


def first_fault(error: ValidationError) -> str:
    """The first fault of a pydantic error as `field: what is wrong`."""
    fault = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    return f"{field}: {fault['msg']}" if field else fault["msg"]
