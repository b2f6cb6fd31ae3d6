"""A night as a person decides it: one YAML file, typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nightschool.prompts import Prompt
from nightschool.recipe import (
    ablate,
    arena,
    choosing,
    committee,
    critique,
    gated,
    measuring,
    package,
    predict,
    quality,
    served,
)
from nightschool.recipe.ablate import Ablate
from nightschool.recipe.address import Address
from nightschool.recipe.arena import Arena
from nightschool.recipe.choosing import Balance, Splits
from nightschool.recipe.committee import Committee, Verifier
from nightschool.recipe.critique import Critique
from nightschool.recipe.filters import Filters
from nightschool.recipe.gate import Gate
from nightschool.recipe.learning import Dpo, Lesson, Sft, Validate
from nightschool.recipe.models import Model, Serve, Student
from nightschool.recipe.notify import Notify
from nightschool.recipe.order import Order
from nightschool.recipe.package import Package
from nightschool.recipe.phases import Answers, Pairs, Pool, Questions, check_file
from nightschool.recipe.placed import placed
from nightschool.recipe.predict import Predict
from nightschool.recipe.quality import Quality
from nightschool.recipe.review import Review
from nightschool.recipe.runner import Runner
from nightschool.recipe.section import Clash, Name, Section, execution
from nightschool.recipe.shapes import OneOrMore
from nightschool.recipe.stages import Learner, Stage, resolve
from nightschool.recipe.tune import Tune
from nightschool.recipe.window import Fallback, Window
from nightschool.tinymodels.spec import SchoolSection

TopicName = Literal["syllogisms", "seating", "blood_relations", "series"]


class Recipe(Section):
    """The whole night; a phase whose section is left out does not run.

    Source: plans 000 and 001.
    """

    name: Name = execution(..., description="the night's default name")
    description: str = execution("")
    seed: int = Field(default=0, ge=0, lt=2**31)
    store: Address = execution(
        "runs", description="folder of all rows, models and nights, or a URL (s3://bucket/prefix) that machines share"
    )
    topics: tuple[TopicName, ...] = Field(default=("syllogisms", "seating", "blood_relations", "series"), min_length=1)
    max_failed_chunks: int = execution(0, ge=0, description="failed chunks a phase may carry and still go on")
    max_failed_rows: float = execution(
        0.02, ge=0, description="rows of a phase that may have no reply: a share below 1, or a count"
    )
    most_skew: float = execution(
        0.1, gt=0, description="how far a step may move the shares of classes before the report warns (Cohen's w)"
    )
    order: Order = execution(Order())
    notify: Annotated[tuple[Notify, ...], OneOrMore()] = execution((), description="who is told of the night")
    runner: Runner = execution(Runner())
    school: SchoolSection | None = None
    serve: Serve = Serve()
    teachers: tuple[Model, ...] = Field(min_length=1)
    student: Student | None = None
    questions: Questions | None = None
    pool: Pool
    answers: Answers
    committee: Committee = Committee()
    review: Review | None = None
    filters: Filters | None = None
    splits: Splits | None = None
    balance: Balance | None = None
    critique: Critique | None = None
    sft: Annotated[tuple[Sft, ...], OneOrMore()] = ()
    pairs: Pairs | None = None
    dpo: Annotated[tuple[Dpo, ...], OneOrMore()] = ()
    validate_: Validate | None = Field(default=None, alias="validate")
    arena: Arena | None = None
    quality: Quality | None = None
    gates: tuple[Gate, ...] = ()
    package: Package | None = None
    ablate: Ablate | None = None
    predict: Predict | None = None
    tune: Tune | None = execution(None)
    window: Window | None = execution(None)
    fallbacks: tuple[Fallback, ...] = execution((), max_length=6, description="what to give up first comes first")

    @model_validator(mode="after")
    def _hangs_together(self) -> Recipe:
        if (self.pairs is None) == bool(self.dpo):
            raise Clash("pairs and dpo go together: give both sections or neither", "dpo" if self.dpo else "pairs")
        if self.pairs and self.pairs.rejected == "teacher":
            critique.check_pairs(self.critique, self.dpo)
        if self.pool.file is None and self.questions is None and self.pool.top_up == "none":
            raise Clash("there are no questions: add a questions section, or top_up: generator", "pool", "top_up")
        if self.pool.file is not None:
            check_file(self.pool.file, self.questions, self.answers, learnt=self.student is not None)
        critique.check(self.critique, self.answers)
        _once([one.name for one in self.fallbacks], "fallbacks")
        _once(self.topics, "topics")
        _once([model.name for model in self.models], "teachers")
        return self

    @model_validator(mode="after")
    def _somebody_learns_or_nobody(self) -> Recipe:
        learning = {"student": self.student, "sft": self.sft, "validate": self.validate_}
        if missing := [name for name, section in learning.items() if not section]:
            given = [*(name for name in learning if name not in missing), *(["dpo"] if self.dpo else [])]
            if given:
                raise Clash(f"{', '.join(missing)} is missing: student, sft and validate go together", given[0])
        else:
            measuring.check(self)
        return self

    @model_validator(mode="after")
    def _the_committee_can_rule(self) -> Recipe:
        committee.check(self.committee, self.answers, self.pool, max(len(self.teachers), len(predict.voters(self))))
        served = {teacher.engine or self.serve.engine for teacher in self.teachers}
        if self.committee.confidence == "logprobs" and "transformers" in served:
            raise Clash("the embedded engine gives no logprobs", "committee", "confidence",
                        allowed="votes, stated, or engine: vllm")  # fmt: skip
        if self.review and not self.committee.to_review:
            raise Clash("nothing goes to a person: name the reasons in committee.to_review", "review",
                        allowed="leave it out, or committee.to_review: [tie, low_agreement]")  # fmt: skip
        choosing.check(self.filters, self.splits, self.balance, self.answers, self.pool)
        choosing.check_losses(self.dpo, self.filters, self.balance)
        return self

    @property
    def watched(self) -> tuple[str, ...]:
        """Fields whose shares are followed from step to step."""
        return choosing.watched(self.answers, self.balance)

    @property
    def learner(self) -> Learner | None:
        """Student, stages and validate; None for a night that only makes data."""
        if self.student and self.sft and self.validate_:
            return Learner(self.student, self.stages, self.validate_)
        return None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The student's stages in the order in which they are trained, nothing left out."""
        if self.student is None:
            return ()
        prompts: dict[Lesson, Prompt] = {"answers": self.student.prompt}
        prompts |= {"questions": self.questions.prompt} if self.questions else {}
        prompts |= {"critiques": self.critique.prompt} if self.critique else {}
        return resolve(self.sft, self.dpo, prompts)

    @property
    def rules(self) -> bool:
        """Whether there are answers for a committee to rule on."""
        return self.answers.reply == "letter" or self.answers.value != "none"

    @property
    def verifier(self) -> Verifier:
        """What outranks the committee's votes, with `auto` resolved."""
        return committee.verifier_of(self.committee, self.answers, self.pool)

    @property
    def quorum(self) -> int:
        """Least number of votes that the committee needs."""
        return committee.quorum_of(self.committee, self.answers, len(self.teachers))

    @property
    def models(self) -> tuple[Model, ...]:
        """Teachers, then the student if there is one, and who only plays in the arena."""
        return tuple(model for model, _ in placed(self))

    @model_validator(mode="after")
    def _models_can_be_served(self) -> Recipe:
        served.check(self)
        return self

    @model_validator(mode="after")
    def _gates_and_packages_are_of_what_runs(self) -> Recipe:
        arena.check(self)
        quality.check(self)
        _once([gate.name for gate in self.gates], "gates")
        gated.check(self)
        package.check(self.package, self.stages)
        measured, closed = self.learner.measured if self.learner else (), choosing.closed(self.answers)
        ablate.check(self.ablate, self.gates, self.stages, measured, closed=closed)
        predict.check(self)
        return self


def _once(names: Sequence[str], field: str) -> None:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise Clash(f"named more than once: {', '.join(twice)}", field)
