"""A night as a person decides it: one YAML file, typed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from nightschool.recipe.learning import Dpo, Gate, Sft, Validate
from nightschool.recipe.models import Model, Serve, Student
from nightschool.recipe.phases import Answers, Balance, Committee, Pairs, Pool, Questions
from nightschool.recipe.section import Name, Section, execution
from nightschool.tinymodels.spec import SchoolSection

TopicName = Literal["syllogisms", "seating", "blood_relations", "series"]


class Recipe(Section):
    """The whole night; a phase whose section is left out does not run.

    Source: plans 000 and 001.
    """

    name: Name = execution(..., description="the night's default name")
    description: str = execution("")
    seed: int = Field(0, ge=0, lt=2**31)
    store: str = execution("runs", description="folder of all rows, models and nights")
    topics: tuple[TopicName, ...] = Field(("syllogisms", "seating", "blood_relations", "series"), min_length=1)
    max_failed_chunks: int = execution(0, ge=0, description="failed chunks a phase may carry and still go on")
    school: SchoolSection | None = None
    serve: Serve = Serve()  # pyright: ignore[reportCallIssue]
    teachers: tuple[Model, ...] = Field(min_length=1)
    student: Student
    questions: Questions | None = None
    pool: Pool
    answers: Answers
    committee: Committee = Committee()  # pyright: ignore[reportCallIssue]
    balance: Balance = Balance()  # pyright: ignore[reportCallIssue]
    sft: Sft
    pairs: Pairs | None = None
    dpo: Dpo | None = None
    validate_: Validate = Field(alias="validate")
    gates: tuple[Gate, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Recipe:
        names = [model.name for model in (*self.teachers, self.student)]
        if len(set(names)) != len(names):
            raise ValueError(f"teachers and student need names of their own: {', '.join(names)}")
        if self.committee.quorum > len(self.teachers):
            raise ValueError(f"committee.quorum {self.committee.quorum} is more than the {len(self.teachers)} teachers")
        if (self.pairs is None) != (self.dpo is None):
            raise ValueError("pairs and dpo go together: give both sections or neither")
        if self.questions is None and self.pool.top_up == "none":
            raise ValueError("no questions: add a questions section, or pool.top_up: generator")
        if any(model.model.startswith("school:") for model in (*self.teachers, self.student)) and not self.school:
            raise ValueError("a model is school:NAME but there is no school section")
        for gate in self.gates:
            if gate.stage == "dpo" and self.dpo is None:
                raise ValueError(f"gate {gate.name} is about dpo, which this recipe leaves out")
        return self
