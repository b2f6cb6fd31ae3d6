"""Recipe section of the critiques: how many solutions are drawn from a question, and in which shares."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, field_validator

from nightschool.critique import Shares
from nightschool.prompts import Prompt
from nightschool.recipe.learning import Dpo
from nightschool.recipe.phases import Answers
from nightschool.recipe.section import Clash, PromptFile, Section, fill


class Critique(Section):
    """Solutions to judge as right or wrong, made from those of the questions that were kept.

    Source: plan 004, generate_critique_data.py.
    """

    prompt: PromptFile
    per_question: int = Field(default=4, ge=2, le=64, description="most solutions of one question, all models mixed")
    shares: Shares = Field(
        default="equal", description="equal = as many right as wrong ones of each question; drawn = as chance has it"
    )
    data_source: str = Field(
        default="nightschool_critique", min_length=1, description="by which a trainer such as verl picks its reward"
    )

    reply: str = Field(
        default="Conclusion: $judgement [END]",
        max_length=2000,
        description="what a student learns to reply; $judgement is right or wrong",
    )

    @field_validator("reply")
    @classmethod
    def _says_the_judgement(cls, reply: str) -> str:
        return fill(Prompt(system=None, user=reply), {"judgement"}, {"judgement"}).user

    @field_validator("prompt")
    @classmethod
    def _can_be_filled(cls, prompt: Prompt) -> Prompt:
        return fill(prompt, {"question", "solution", "topic"}, {"question", "solution"})


def check(section: Critique | None, answers: Answers) -> None:
    """Whether solutions will be marked at all.

    Raises:
        Clash: no value is read from them.
    """
    if section and (answers.reply != "text" or answers.value == "none"):
        raise Clash("a critique is of a free solution that is marked by its value: set answers.reply: text and "
                    "answers.value", "critique")  # fmt: skip


def check_pairs(section: Critique | None, dpo: Sequence[Dpo]) -> None:
    """That pairs of teachers' solutions have solutions that were judged.

    Raises:
        Clash: nobody judges any, or they are to be new in every round.
    """
    if section is None:
        raise Clash("the solutions that are wrong are those of the critique section, and there is none", "pairs",
                    "rejected", allowed="student, or a critique section")  # fmt: skip
    for place, stage in enumerate(dpo):
        if stage.rounds is not None:
            raise Clash("a teacher's solutions are the same in every round", "dpo", place, "rounds",
                        allowed="pairs.rejected: student")  # fmt: skip
