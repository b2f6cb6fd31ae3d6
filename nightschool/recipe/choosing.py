"""Recipe sections of the phases that choose among ruled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from nightschool.classes import OF_ALL
from nightschool.recipe.phases import Answers, Pool
from nightschool.recipe.section import Clash, Positive, Section, Share


class Balance(Section):
    """Shares of classes as they are wanted: rows cut, repeated or weighted; choices in another order."""

    by: tuple[str, ...] = Field(
        default=("topic", "answer"), min_length=1,
        description="what makes a class: answer, topic, source, or a field of the questions' file; or several together",
    )  # fmt: skip
    within: tuple[str, ...] = Field(default=(), description="shares are mended inside each stratum of these fields")
    method: Literal["downsample", "upsample", "weights", "none"] = Field(
        default="downsample", description="cut what there is much of, repeat what is scarce, or weigh the loss"
    )
    target: dict[str, Share] | None = Field(
        default=None, description="wanted shares by class, 1 in all, a class left out is dropped; equal shares without"
    )
    most_copies: Positive = Field(default=4, description="upsample: how often a row may come at most")
    max_rows: Positive | None = None
    shuffle_letters: bool = Field(
        default=False,
        description="choices in another order, drawn by row; explanations that name letters are rewritten",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Balance:
        if both := set(self.by) & set(self.within):
            raise Clash(f"{', '.join(sorted(both))} makes a class or a stratum, not both", "within")
        if self.target is not None and len(self.by) != 1:
            raise Clash("a target names the classes of one field: the others may be strata (within)", "by")
        if self.target is not None and abs(sum(self.target.values()) - 1) > 1e-6:
            raise Clash(
                f"the shares are {sum(self.target.values()):g} in all", "target", allowed="shares that add to 1"
            )
        if self.max_rows is not None and self.method in ("weights", "none"):
            raise Clash(f"method {self.method} cuts no rows", "max_rows", allowed="method: downsample or upsample")
        return self


def check_balance(section: Balance, answers: Answers, pool: Pool, *, learns: bool) -> None:
    """Refuse classes that no row has, and weights that nobody reads.

    Raises:
        Clash: with the field to edit.
    """
    fields_exist(pool, "balance", "by", section.by)
    fields_exist(pool, "balance", "within", section.within)
    open_ = answers.reply == "text" and answers.value not in ("letter", "yes_no")
    if open_ and "answer" in (*section.by, *section.within) and section.target is None:
        raise Clash("nearly every row has an answer of its own: they make no classes", "balance", "by",
                    allowed="other fields, or a target that names the answers")  # fmt: skip
    if section.method == "weights" and learns:
        raise Clash("training does not read the weights of rows yet: only a night without a student has use for them",
                    "balance", "method", allowed="downsample, upsample")  # fmt: skip


def fields_exist(pool: Pool, section: str, name: str, fields: Sequence[str]) -> None:
    """Refuse fields that the questions don't have.

    Raises:
        Clash: names those that they have.
    """
    known = {*OF_ALL, *(pool.file.fields if pool.file else ())}
    if lost := [field for field in fields if field not in known]:
        raise Clash(f"questions have no field {', '.join(lost)}", section, name, allowed=", ".join(sorted(known)))
