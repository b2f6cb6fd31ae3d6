"""Recipe section of roles: marks by which one model knows what is asked of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nightschool.prompts import Prompt
from nightschool.recipe.section import Clash, Section

# A $ would begin a placeholder of the prompt that the mark is put in front of.
Mark = Annotated[str, Field(pattern=r"^[^\s$]{1,32}$")]


class Roles(Section):
    """A mark in front of every prompt of a lesson.

    Source: plan 001, "Use role-switching: Train Phi-4 with <Q> and <A> tokens for dual-task".
    """

    kind: Literal["text", "tokens"] = Field(
        default="text",
        description="tokens = new ones, whose rows are trained; a whole model comes of it, with its own vocabulary",
    )
    answers: Mark = "<A>"
    questions: Mark = "<Q>"
    critiques: Mark = "<C>"

    @property
    def marks(self) -> tuple[str, str, str]:
        """All marks, in the order in which they become tokens."""
        return self.answers, self.questions, self.critiques

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Roles:
        for mark in self.marks:
            if any(mark in other for other in self.marks if other is not mark) or self.marks.count(mark) > 1:
                raise Clash(f"{mark} is a part of another mark", allowed="marks that can be told apart")
        return self


def marked(prompt: Prompt, mark: str) -> Prompt:
    """A prompt with a role's mark in front of what the user says."""
    return prompt.model_copy(update={"user": f"{mark} {prompt.user}"})
