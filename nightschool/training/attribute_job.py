"""What the attribution of one stage is asked to do and says of each row, readable without torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nightschool.recipe.ablate import ENOUGH
from nightschool.recipe.section import Section
from nightschool.records import Row
from nightschool.wire import Message

# Stands in a prompt where its draft goes: a sign of the private use area, which nobody writes.
MARK = "\ue0d4"

Source = Literal["own", "shuffled"]
Lost = Literal["no_draft", "template", "same_token", "incomplete"]


class AttributeRow(Row):
    """A prompt with `MARK` in the draft's place, the draft, and the answers that it may be given, the true one first.

    `of`: whether it is the question's own draft.
    """

    of: Source
    prompt: tuple[Message, ...]
    draft: str
    answers: tuple[str, ...] = Field(min_length=2)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The prompt as it is asked."""
        return tuple(
            turn.model_copy(update={"content": turn.content.replace(MARK, self.draft)}) for turn in self.prompt
        )


class AttributeJob(Section):
    """A model's folder or hub name, the adapter on it, and a file of rows, a line each.

    Steps begin at `steps` and double up to `most_steps` where completeness is off by more than `enough`.
    """

    model: str = Field(min_length=1)
    adapter: str | None
    rows: str = Field(min_length=1)
    steps: int = Field(default=16, ge=2)
    most_steps: int = Field(default=1024, ge=2)
    enough: float = Field(default=ENOUGH, gt=0)
    threads: int = Field(default=2, ge=1)


class Attributed(Row):
    """Of one row the share of the attribution that lies on the draft, beside the draft's share of the tokens.

    Both are of the tokens that say something: question, draft and the prompt's own words, not the template's. `moved`
    is F(prompt) - F(baseline) in logits, of which `error` is the share that the attributions fail to add up to.
    `lost`: why there is no share.
    """

    of: Source
    lost: Lost | None = None
    share: float = 0.0
    tokens: float = 0.0
    moved: float = 0.0
    error: float = 0.0
    steps: int = 0
