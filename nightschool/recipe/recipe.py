"""A night as a person decides it: one YAML file, typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nightschool.placement import NoRoom, deal, flaw
from nightschool.prompts import Prompt
from nightschool.recipe import ablate, arena, choosing, committee, critique, measuring, package, predict, quality
from nightschool.recipe.ablate import Ablate
from nightschool.recipe.arena import Arena
from nightschool.recipe.choosing import Balance, Splits
from nightschool.recipe.committee import Committee, Verifier
from nightschool.recipe.critique import Critique
from nightschool.recipe.filters import Filters
from nightschool.recipe.gate import Gate, gated
from nightschool.recipe.learning import Dpo, Lesson, Sft, Validate
from nightschool.recipe.models import Model, Serve, Student, want
from nightschool.recipe.package import Package
from nightschool.recipe.phases import Answers, Pairs, Pool, Questions
from nightschool.recipe.placed import placed
from nightschool.recipe.predict import Predict
from nightschool.recipe.quality import Quality
from nightschool.recipe.review import Review
from nightschool.recipe.section import Clash, Name, Section, execution
from nightschool.recipe.shapes import OneOrMore
from nightschool.recipe.stages import Learner, Stage, resolve
from nightschool.recipe.tune import Tune
from nightschool.tinymodels.spec import SchoolSection, runs

TopicName = Literal["syllogisms", "seating", "blood_relations", "series"]


class Recipe(Section):
    """The whole night; a phase whose section is left out does not run.

    Source: plans 000 and 001.
    """

    name: Name = execution(..., description="the night's default name")
    description: str = execution("")
    seed: int = Field(default=0, ge=0, lt=2**31)
    store: str = execution(
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

    @model_validator(mode="after")
    def _hangs_together(self) -> Recipe:
        if (self.pairs is None) == bool(self.dpo):
            raise Clash("pairs and dpo go together: give both sections or neither", "dpo" if self.dpo else "pairs")
        if self.pairs and self.pairs.rejected == "teacher":
            critique.check_pairs(self.critique, self.dpo)
        if self.pool.file is None and self.questions is None and self.pool.top_up == "none":
            raise Clash("there are no questions: add a questions section, or top_up: generator", "pool", "top_up")
        critique.check(self.critique, self.answers)
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
    def _a_file_is_asked_as_it_is(self) -> Recipe:
        if self.pool.file is not None:
            if self.questions is not None:
                raise Clash("the pool's questions come from a file: nobody writes any", "questions")
            if self.answers.reply == "letter" and self.pool.file.choices < 2:
                raise Clash("the file's questions have no choices to answer with a letter: name them in pool.fields",
                            "answers", "reply", allowed="text")  # fmt: skip
            if self.pool.file.canary and self.student is not None:
                raise Clash("the file asks never to be learnt from (its canary): it may test a model, not teach one",
                            "pool", "file")  # fmt: skip
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
        for model, path in placed(self):
            engine = model.engine or self.serve.engine
            if engine == "endpoint" and not model.urls:
                raise Clash("engine endpoint needs urls", *path)
            if engine != "scripted" and model.script is not None:
                raise Clash(f"a script is for engine scripted, not {engine}", *path, "script")
            if model.model.startswith("school:"):
                self._is_made(model.model.removeprefix("school:"), *path, "model")
        return self

    def _is_made(self, name: str, *path: str | int) -> None:
        if not self.school:
            raise Clash("a model is school:NAME but there is no school section", *path)
        made = [f"school:{each}" for run in runs(self.school) for each in run.models]
        if f"school:{name}" not in made:
            raise Clash("the school makes no such model", *path, allowed=", ".join(made))

    @model_validator(mode="after")
    def _devices_can_be_dealt(self) -> Recipe:
        for model, path in placed(self):
            if wrong := flaw(want(model, self.serve)):
                where = (*path, "gpus") if model.gpus is not None else ("serve", "gpus")
                raise Clash(wrong, *where, allowed="a group of tensor_parallel devices for each replica")
        named = [want(teacher, self.serve) for teacher in self.teachers]
        named = [one for one in named if one.groups]
        if self.serve.placement == "side_by_side":
            try:
                deal(named, sorted({device for one in named for device in one.pool or ()}))
            except NoRoom:
                message = "teachers that are up side by side name the same devices"
                raise Clash(message, "serve", "placement", allowed="sequential, auto, or other gpus") from None
        return self

    @model_validator(mode="after")
    def _replies_fit(self) -> Recipe:
        student = (self.student,) if self.student else ()
        asking = [("questions", self.questions, self.teachers), ("answers", self.answers, self.teachers),
                  ("pairs", self.pairs, student), ("student", self.student, student)]  # fmt: skip
        for name, section, models in asking:
            for model in models if section else ():
                room = model.max_model_len or self.serve.max_model_len
                if room and section and section.max_tokens >= room:
                    message = f"{section.max_tokens} leaves no room for the prompt: {model.name} has {room} in all"
                    raise Clash(message, name, "max_tokens", allowed=f"less than {room}")
        return self

    @model_validator(mode="after")
    def _gates_and_packages_are_of_what_runs(self) -> Recipe:
        arena.check(self)
        quality.check(self)
        _once([gate.name for gate in self.gates], "gates")
        for index, gate in enumerate(self.gates):
            if gate.stage is not None and self.student is None:
                raise Clash(f"gate {gate.name} is about a student, and there is none", "gates", index)
            quality.gated(self, gate, index)
            if gate.stage is None and not self.rules:
                raise Clash(f"gate {gate.name} is about a committee, and there is none", "gates", index)
            if gate.metric == "committee_gain" and self.answers.reply == "text":
                raise Clash(f"gate {gate.name}: by the file's truth every accepted row is right", "gates", index,
                            "metric", allowed="vote_gain")  # fmt: skip
            gated(gate, index, measuring.judged(self.learner, gate, index) if self.learner else ())
        package.check(self.package, self.stages)
        measured, closed = self.learner.measured if self.learner else (), choosing.closed(self.answers)
        ablate.check(self.ablate, self.gates, self.stages, measured, closed=closed)
        predict.check(self)
        return self


def _once(names: Sequence[str], field: str) -> None:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise Clash(f"named more than once: {', '.join(twice)}", field)
