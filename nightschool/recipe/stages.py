"""From the stages as a recipe has them to stages with nothing left out: start, weights, reference, prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nightschool.prompts import Prompt
from nightschool.recipe.learning import Dpo, Gate, Lesson, Sft, Validate
from nightschool.recipe.lora import Lora
from nightschool.recipe.models import Student
from nightschool.recipe.roles import Roles, marked
from nightschool.recipe.section import Clash, fill, fill_answer

BASE, START = "base", "start"
# A stage of each kind whose name is left out is called so.
_KINDS = ("sft", "dpo")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the student.

    `start` is "base" or an earlier stage. `under` is whose weights lie under its adapter, "base" or a stage that was
    left as a whole model; its own name if it is one. `lora` is the adapter that it trains, new unless it `goes_on` with
    that of its start. `teaches` has the weight of each lesson, `texts` every prompt under which it may be asked, by
    lesson and without the marks of its `roles`; `tokens` are those that it adds to the vocabulary. `reference` is for
    dpo: "base" or a stage.
    """

    name: str
    kind: Literal["sft", "dpo"]
    section: Sft | Dpo
    start: str
    under: str
    lora: Lora | None
    goes_on: bool
    teaches: Mapping[Lesson, float]
    texts: Mapping[Lesson, Prompt]
    roles: Roles | None = None
    tokens: tuple[str, ...] = ()
    reference: str = ""

    @property
    def prompts(self) -> dict[Lesson, Prompt]:
        """Every prompt as it is asked, by lesson."""
        if self.roles is None:
            return dict(self.texts)
        return {lesson: marked(text, getattr(self.roles, lesson)) for lesson, text in self.texts.items()}

    @property
    def whole(self) -> bool:
        """Whether what it leaves is a model and no adapter."""
        return self.under == self.name

    @property
    def answers(self) -> bool:
        """Whether it learns to answer, and is measured by its answers."""
        return "answers" in self.teaches


@dataclass(frozen=True, slots=True)
class Learner:
    """Who learns in a night, in which stages, and how that is proved."""

    student: Student
    stages: tuple[Stage, ...]
    validate: Validate

    @property
    def measured(self) -> tuple[str, ...]:
        """The student as it was, and every stage that learned to answer, in order.

        Where none did, all of them: what learning something else does to its answers.
        """
        answering = [stage.name for stage in self.stages if stage.answers]
        return (BASE, *(answering or [stage.name for stage in self.stages]))

    def stage(self, name: str) -> Stage:
        """A stage by its name."""
        return next(stage for stage in self.stages if stage.name == name)

    def prompt(self, name: str) -> Prompt:
        """How the base or a stage is asked for an answer."""
        return self.student.prompt if name == BASE else self.stage(name).prompts["answers"]


def resolve(sft: Sequence[Sft], dpo: Sequence[Dpo], prompts: Mapping[Lesson, Prompt]) -> tuple[Stage, ...]:
    """All stages in the order in which they are trained.

    Args:
        prompts: under which a lesson is asked where no stage says otherwise.

    Raises:
        Clash: a start or reference that is no earlier stage, or weights that do not fit them.
    """
    found: dict[str, Stage] = {}
    for where, section in _written(sft, dpo):
        if section.name in (BASE, START, *found):
            twice = "is named twice" if section.name in found else "is no name for a stage"
            raise Clash(f"{section.name} {twice}", *where, "name")
        found[section.name] = _stage(section, where, found, prompts)
    return tuple(found.values())


def _written(sft: Sequence[Sft], dpo: Sequence[Dpo]) -> Iterator[tuple[tuple[str, int], Sft | Dpo]]:
    for kind, sections in zip(_KINDS, (sft, dpo), strict=True):
        for place, section in enumerate(sections):
            yield (kind, place), section


def _stage(
    section: Sft | Dpo, where: tuple[str, int], found: Mapping[str, Stage], prompts: Mapping[Lesson, Prompt]
) -> Stage:
    kind = "sft" if isinstance(section, Sft) else "dpo"
    start = section.start or ([BASE, *found][-1] if kind == "dpo" else BASE)
    if start != BASE and start not in found:
        raise Clash(f"{start} is no earlier stage", *where, "start", allowed=", ".join((BASE, *found)))
    before = found.get(start)
    lora, (roles, tokens) = _lora(section, before, where), _roles(section, before)
    if tokens and lora and lora.quantize != "none":
        message = "new tokens are trained into the weights, which 4 bits cannot hold"
        raise Clash(message, *where, "roles", "kind", allowed="text, or quantize: none")
    if tokens and before and not before.whole:
        message = f"new tokens for the adapter of {before.name}, which it goes on with"
        raise Clash(message, *where, "roles", "kind", allowed="text, or give them to the first stage")
    teaches = _lessons(section)
    stage = Stage(
        name=section.name,
        kind=kind,
        section=section,
        start=start,
        under=section.name if lora is None or tokens else before.under if before else BASE,
        lora=lora,
        goes_on=before is not None and not before.whole,
        teaches=teaches,
        texts=_texts(section, teaches, before.texts if before else prompts, prompts, where),
        roles=roles,
        tokens=tokens,
        reference=start if isinstance(section, Sft) or section.reference == START else section.reference,
    )
    if isinstance(section, Dpo):
        _can_be_held_to(stage, found, where)
    return stage


def _lessons(section: Sft | Dpo) -> dict[Lesson, float]:
    return {section.teaches: 1.0} if isinstance(section.teaches, str) else dict(section.teaches)


def _lora(section: Sft | Dpo, before: Stage | None, where: tuple[str, int]) -> Lora | None:
    if section.lora is None:
        return before.lora if before else Lora()
    lora = None if section.lora == "none" else section.lora
    if before and not before.whole and lora != before.lora:
        message = f"{section.name} goes on with the adapter of {before.name}"
        raise Clash(message, *where, "lora", allowed="leave it out, or start: base")
    return lora


def _roles(section: Sft | Dpo, before: Stage | None) -> tuple[Roles | None, tuple[str, ...]]:
    """The marks of a stage, and those that are new to the vocabulary."""
    inherited = before.roles if before else None
    roles = (section.roles if isinstance(section, Sft) else None) or inherited
    return roles, roles.marks if roles and roles.kind == "tokens" and roles != inherited else ()


def _texts(
    section: Sft | Dpo,
    teaches: Mapping[Lesson, float],
    inherited: Mapping[Lesson, Prompt],
    common: Mapping[Lesson, Prompt],
    where: tuple[str, int],
) -> dict[Lesson, Prompt]:
    given: dict[Lesson, Prompt] = {}
    if isinstance(section.prompt, Prompt):
        if len(teaches) > 1:
            raise Clash("there is one prompt for several lessons", *where, "prompt", allowed="one for each lesson")
        given = dict.fromkeys(teaches, section.prompt)
    elif section.prompt:
        given = dict(section.prompt)
    for lesson, prompt in given.items():
        try:
            _fill(lesson, prompt)
        except Clash as wrong:
            raise Clash(str(wrong), *where, "prompt", allowed=wrong.allowed) from None
    if missing := [lesson for lesson in teaches if lesson not in common]:
        section_ = {"questions": "questions", "critiques": "critique"}[missing[0]]
        raise Clash(f"{missing[0]} are taught, and there is no {section_} section to make them", *where, "teaches")
    return {**common, **inherited, **given}


def _fill(lesson: Lesson, prompt: Prompt) -> None:
    if lesson == "answers":
        fill_answer(prompt, choices=False)
    elif lesson == "questions":
        fill(prompt, {"topic", "hint", "example"}, set() if "$example" in prompt.user else {"topic"})
    else:
        fill(prompt, {"question", "solution", "topic"}, {"question", "solution"})


def _can_be_held_to(stage: Stage, found: Mapping[str, Stage], where: tuple[str, int]) -> None:
    """That the reference stands on the same weights, so that one model in memory can be both."""
    name, allowed = stage.reference, ", ".join((START, BASE, *found))
    if name != BASE and name not in found:
        raise Clash(f"{name} is no earlier stage", *where, "reference", allowed=allowed)
    under = found[name].under if name in found else BASE
    if stage.whole and under != name:
        message = f"all weights of {stage.name} are trained, and {name} is an adapter"
        raise Clash(message, *where, "reference", allowed="start, or a stage that is no adapter")
    if not stage.whole and under != stage.under:
        message = f"{name} stands on the weights of {under}, and {stage.name} on those of {stage.under}"
        raise Clash(message, *where, "reference", allowed="start")


def gated(gate: Gate, index: int, measured: Sequence[str]) -> None:
    """That a gate speaks of stages that are measured.

    Raises:
        Clash: one is not, or comes before the one that it is held against.
    """
    for field, name in (("stage", gate.stage), ("over", gate.over)):
        if name is not None and name not in measured:
            message = f"gate {gate.name} is about {name}, which this recipe leaves out"
            raise Clash(message, "gates", index, field, allowed=", ".join(measured))
    if gate.stage and gate.over and measured.index(gate.over) >= measured.index(gate.stage):
        raise Clash(f"gate {gate.name}: {gate.stage} is not after {gate.over}", "gates", index, "over")
