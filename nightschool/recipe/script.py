"""How a scripted model server behaves: who answers how well, how fast, and what goes wrong."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from nightschool.errors import RecipeError
from nightschool.recipe.data_file import Source
from nightschool.recipe.section import Clash, Section, Share, execution

# The server answers, but not as asked: the same ask meets it again.
ReplyFault = Literal["rubbish", "truncated", "wrong_shape"]
# The request fails: drawn anew for each attempt unless `fault_by` is row, so that asking again may succeed.
WireFault = Literal[
    "status_429", "status_500", "status_503", "reset", "half_body", "half_json", "hang", "slow",
    "wrong_content_type", "empty_choices", "huge",
]  # fmt: skip
Behaviour = Literal["school", "maths", "verdict", "echo", "text"]

_Z99 = NormalDist().inv_cdf(0.99)


class Latency(Section):
    """Seconds from request to reply: `mean` plus or minus `jitter`, evenly; or log-normal by `median` and `p99`."""

    mean: float = Field(default=0.0, ge=0)
    jitter: float = Field(default=0.0, ge=0)
    median: float | None = Field(default=None, gt=0)
    p99: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Latency:
        if (self.median is None) != (self.p99 is None):
            raise Clash("median and p99 go together", "p99" if self.p99 is None else "median")
        if self.median is not None and (self.mean or self.jitter):
            raise Clash("either mean and jitter, or median and p99", "mean")
        if self.median is not None and self.p99 is not None and self.p99 < self.median:
            raise Clash("p99 is less than the median", "p99")
        return self

    def at(self, point: float) -> float:
        """Seconds at a point of the distribution, in [0, 1)."""
        if self.median is None or self.p99 is None:
            return self.mean + self.jitter * (2 * point - 1) if self.jitter else self.mean
        sigma = math.log(self.p99 / self.median) / _Z99
        return self.median * math.exp(sigma * NormalDist().inv_cdf(min(max(point, 1e-9), 1 - 1e-9)))


class ScriptedModel(Section):
    """How one model behaves.

    `accuracy` is the share of its answers that are right, `ok_questions` the share of its written questions that the
    solver passes; the others are wrongly keyed, unreadable or copies, in equal parts.
    """

    accuracy: Share | dict[str, Share] = 0.8
    ok_questions: Share = 0.9
    latency_s: Latency = execution(Latency())
    token_s: float = execution(0.0, ge=0, description="seconds between the words of a streamed reply")

    def accuracy_on(self, topic: str) -> float:
        """The share for a topic or a verdict; 0.25, a guess, for one that the script leaves out."""
        return self.accuracy.get(topic, 0.25) if isinstance(self.accuracy, dict) else self.accuracy


class Script(Section):
    """What a scripted server does: its models by name, and the share of requests that meet each fault."""

    behaviour: Behaviour = Field(
        default="school",
        description="school: a pupil; maths: solutions in free text; verdict: yes or no; echo: prompt; text: `text`",
    )
    reasons: str | None = Field(
        default=None, description="behaviour verdict: the file's field that leads to its answers"
    )
    text: str = Field(default="As you wish.", description="behaviour text: the reply to everything")
    answers: Source | None = Field(default=None, description="a file of questions and answers, to be right by")
    signed: bool = Field(default=False, description="every reply names the system prompt that it was asked under")
    models: dict[str, ScriptedModel] = {}
    faults: dict[WireFault | ReplyFault, Share] = {}
    fault_by: Literal["attempt", "row"] = execution(
        "attempt", description="row: an ask that meets a fault on the wire meets it again, until healed"
    )
    heal_after: int | None = execution(None, ge=0, description="no more faults after this many requests")
    several: Literal["all", "first", "refuse"] = execution(
        "all", description="what a request for several samples gets: all of them, the first, or a 400"
    )
    most_at_once: int | None = execution(None, ge=1, description="429 for whoever comes while so many are served")
    retry_after_s: float = execution(1.0, ge=0, description="what a 429 asks for")
    slow_s: float = execution(2.0, ge=0, description="how long a slow reply drips")
    die_after: int | None = execution(None, ge=1, description="exit on the request after this many")
    away_after: int | None = execution(None, ge=1, description="refuse everybody on the request after this many")
    away_s: float = execution(2.0, ge=0, description="for so long; then serve again")
    tally: str | None = execution(None, description="file that keeps count across restarts")

    @model_validator(mode="after")
    def _shares_fit(self) -> Script:
        if sum(self.faults.values()) > 1:
            raise Clash("the shares of all faults add up to more than 1", "faults")
        return self

    def identity(self) -> dict[str, Any]:
        """What decides the texts of replies: a fault on the wire costs time, and no more."""
        spoils = {name: share for name, share in self.faults.items() if name in get_args(ReplyFault)}
        models = {name: model.identity() for name, model in self.models.items()}
        return super().identity() | {"faults": spoils, "models": models}


def load_script(path: Path) -> Script:
    """Read a script file.

    Raises:
        RecipeError: unreadable, or not a script.
    """
    try:
        return Script.model_validate_json(path.read_bytes(), context={"folder": path.parent})
    except OSError as err:
        raise RecipeError(f"script cannot be read: {err.strerror}", file=path) from None
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RecipeError(first["msg"], file=path, field=field, value=first["input"] if field else None) from None
