"""From a JSON file to how a scripted server behaves: who answers how well, how fast, and what goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nightschool.errors import RecipeError

Share = Annotated[float, Field(ge=0, le=1)]
# The server answers, but not as asked: the same ask meets it again.
ReplyFault = Literal["rubbish", "truncated", "wrong_shape"]
# The request fails: drawn anew for each attempt, so that asking again may succeed.
WireFault = Literal[
    "status_429", "status_500", "reset", "half_body", "hang", "slow", "wrong_content_type", "empty_choices"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Latency(_Part):
    """Seconds from request to reply: `mean` plus or minus `jitter`, evenly."""

    mean: float = Field(default=0.0, ge=0)
    jitter: float = Field(default=0.0, ge=0)


class ScriptedModel(_Part):
    """How one model behaves.

    `accuracy` is the share of its answers that are right, `ok_questions` the share of its written questions that the
    solver passes; the others are wrongly keyed, unreadable or copies, in equal parts.
    """

    accuracy: Share | dict[str, Share] = 0.8
    ok_questions: Share = 0.9
    latency_s: Latency = Latency()

    def accuracy_on(self, topic: str) -> float:
        """The share for a topic; 0.25, a guess, for one that the script leaves out."""
        return self.accuracy.get(topic, 0.25) if isinstance(self.accuracy, dict) else self.accuracy


class Script(_Part):
    """What a scripted server does: its models by name, and the share of requests that meet each fault."""

    behaviour: Literal["school", "echo"] = "school"
    models: dict[str, ScriptedModel] = {}
    faults: dict[WireFault | ReplyFault, Share] = {}
    retry_after_s: float = Field(default=1.0, ge=0, description="what a 429 asks for")
    slow_s: float = Field(default=2.0, ge=0, description="how long a slow reply drips")
    die_after: int | None = Field(default=None, ge=1, description="exit on the request after this many")

    @model_validator(mode="after")
    def _shares_fit(self) -> Script:
        if sum(self.faults.values()) > 1:
            raise ValueError("the shares of all faults add up to more than 1")
        return self


def load_script(path: Path) -> Script:
    """Read a script file.

    Raises:
        RecipeError: unreadable, or not a script.
    """
    try:
        return Script.model_validate_json(path.read_bytes())
    except OSError as err:
        raise RecipeError(f"script cannot be read: {err.strerror}", file=path) from None
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise RecipeError(first["msg"], file=path, field=field, value=first["input"] if field else None) from None
