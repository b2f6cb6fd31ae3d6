"""Recipe sections of the phases that choose among ruled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, model_validator

from nightschool.classes import OF_ALL
from nightschool.recipe.filters import Filters, weighing
from nightschool.recipe.learning import Dpo
from nightschool.recipe.phases import Answers, Pool
from nightschool.recipe.section import Clash, Positive, Section, Share


class Splits(Section):
    """Train, validation and test, by a hash of the normalised question: none ever crosses sides, in any night.

    Every stratum is cut at the same places of the hash, so it has these shares up to chance.
    """

    validation: Share = 0.1
    test: Share = 0.1
    salt: str = Field(default="", description="another text is another split; keep it for all nights of a student")
    leaks: Literal["drop", "report", "refuse"] = Field(
        default="drop", description="what becomes of a row to train on that is nearly the same as a held-out one"
    )
    threshold: float = Field(default=0.8, ge=0.6, le=1, description="least share of equal runs of words in a leak")

    @model_validator(mode="after")
    def _leaves_some_to_train_on(self) -> Splits:
        if self.validation + self.test >= 1:
            raise Clash("nothing is left to train on", "test", allowed="validation and test below 1 in all")
        return self


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


def check(
    filters: Filters | None,
    splits: Splits | None,
    balance: Balance | None,
    answers: Answers,
    pool: Pool,
) -> None:
    """Refuse phases that have no rows, and classes that no row has.

    Raises:
        Clash: with the field to edit.
    """
    given = {"filters": filters, "splits": splits, "balance": balance}
    for name in (name for name, section in given.items() if section):
        if answers.reply == "text" and answers.value == "none":
            raise Clash("no value is read out of the solutions, so no row is accepted", name,
                        allowed="leave it out, or give answers.value")  # fmt: skip
    if balance:
        _check_balance(balance, answers, pool, weighed=bool(weighing(filters)))


def check_losses(stages: Sequence[Dpo], filters: Filters | None, balance: Balance | None) -> None:
    """Refuse a loss that counts all pairs alike where some are to count for less.

    Raises:
        Clash: names what weighs them.
    """
    by = [f"filters.{name}.weight" for name in weighing(filters)]
    by += ["balance.method"] if balance and balance.method == "weights" else []
    for place, stage in enumerate(stages):
        if by and stage.teaches == "answers" and not stage.weighs:
            message = f"{', '.join(by)} weighs rows, and {', '.join(stage.loss)} counts all pairs alike"
            raise Clash(message, "dpo", place, "loss", allowed="[sigmoid]")


def _check_balance(section: Balance, answers: Answers, pool: Pool, *, weighed: bool) -> None:
    fields_exist(pool, "balance", "by", section.by)
    fields_exist(pool, "balance", "within", section.within)
    if not closed(answers) and "answer" in (*section.by, *section.within) and section.target is None:
        raise Clash("nearly every row has an answer of its own: they make no classes", "balance", "by",
                    allowed="other fields, or a target that names the answers")  # fmt: skip
    if weighed and section.method in ("downsample", "upsample"):
        raise Clash("a filter keeps rows with less weight, and counting rows would not see it", "balance", "method",
                    allowed="weights, none")  # fmt: skip


def closed(answers: Answers) -> bool:
    """Whether answers are a few that come again and again, so that they make classes."""
    return answers.reply == "letter" or answers.value in ("letter", "yes_no")


def watched(answers: Answers, balance: Balance | None) -> tuple[str, ...]:
    """Fields whose shares are followed from step to step: the answer where it makes classes, what balance names."""
    named = (*balance.by, *balance.within) if balance else ("topic",)
    return tuple(dict.fromkeys((*(("answer",) if closed(answers) else ()), *named)))


def fields_exist(pool: Pool, section: str, name: str, fields: Sequence[str]) -> None:
    """Refuse fields that the questions don't have.

    Raises:
        Clash: names those that they have.
    """
    known = {*OF_ALL, *(pool.file.fields if pool.file else ())}
    if lost := [field for field in fields if field not in known]:
        raise Clash(f"questions have no field {', '.join(lost)}", section, name, allowed=", ".join(sorted(known)))
