"""From the stages as a recipe has them to stages with nothing left out: start, weights, reference, prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nightschool.prompts import Prompt
from nightschool.recipe.learning import Dpo, Lesson, Rounds, Sft, Validate
from nightschool.recipe.lora import Lora
from nightschool.recipe.models import Student
from nightschool.recipe.roles import Roles, marked
from nightschool.recipe.section import Clash
from nightschool.recipe.texts import draft_of, texts_of

BASE, START = "base", "start"
# A stage of each kind whose name is left out is called so.
_KINDS = ("sft", "dpo")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the student.

    `start` is "base" or an earlier stage. `under` is whose weights lie under its adapter, "base" or a stage that was
    left as a whole model; its own name if it is one. `lora` is the adapter that it trains, new unless it `goes_on` with
    that of its start. `teaches` has the weight of each lesson, `texts` every prompt under which it may be asked, by
    lesson and without the marks of its `roles`; `tokens` are those that it adds to the vocabulary. `draft_of` is whose
    draft the prompt for answers shows, "" if none. For dpo, `reference` is what it is held to and `drafter` whose
    drafts its pairs are made of. A `loop` is a chain of dpo stages, each the `round` of that number; behind them a
    stage of kind "rounds", with the loop's name, is the last good one of them.
    """

    name: str
    kind: Literal["sft", "dpo", "rounds"]
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
    drafter: str = ""
    draft_of: str = ""
    loop: str = ""
    round: int = 0

    @property
    def gate(self) -> str:
        """Where the student that it begins with is measured: "dpo-0" is the start of the loop "dpo"; else nowhere."""
        before = self.round if self.kind == "rounds" else self.round - 1
        return f"{self.loop}-{before}" if self.loop else ""

    @property
    def passing(self) -> bool:
        """Whether it is a round of a loop, which only the loop's next one builds on."""
        return bool(self.loop) and self.kind == "dpo"

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
        """The student as it was, and every stage that learned to answer, in order; of a loop what it led to.

        Where none did, all of them: what learning something else does to its answers.
        """
        lasting = [stage for stage in self.stages if not stage.passing]
        answering = [stage.name for stage in lasting if stage.answers]
        return (BASE, *(answering or [stage.name for stage in lasting]))

    def stage(self, name: str) -> Stage:
        """A stage by its name."""
        return next(stage for stage in self.stages if stage.name == name)

    def before_gate(self, stage: Stage) -> str:
        """Who is measured at the gate in front of a stage of a loop, or behind the loop's last round."""
        return f"{stage.loop}-{stage.round}" if stage.kind == "rounds" else stage.start

    def draft_of(self, name: str) -> str:
        """Whose draft a model is shown when it is asked; "" for a stage that is shown none, and for any other model."""
        return next((stage.draft_of for stage in self.stages if stage.name == name), "")

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
        lasting = {name: stage for name, stage in found.items() if not stage.passing}
        if isinstance(section, Dpo) and section.loop:
            more = _loop(section, section.loop, where, lasting, prompts)
        else:
            more = [_stage(section, where, lasting, prompts)]
        for stage in more:
            if stage.name in (BASE, START, *found):
                twice = "is named twice" if stage.name in found else "is no name for a stage"
                raise Clash(f"{stage.name} {twice}", *where, "name")
            found[stage.name] = stage
    return tuple(found.values())


def _loop(
    section: Dpo, loop: Rounds, where: tuple[str, int], found: Mapping[str, Stage], prompts: Mapping[Lesson, Prompt]
) -> list[Stage]:
    """The rounds of a loop, and what it leads to.

    Source: plan 002, Phase C, "Optional Self-Guided loop: regenerate drafts, rebuild pairs, repeat".
    """
    rounds: list[Stage] = []
    for number in range(1, loop.most + 1):
        begins = rounds[-1].name if rounds else section.start
        part = section.model_copy(update={"name": f"{section.name}-{number}", "start": begins, "rounds": None})
        stage = _stage(part, where, {**found, **{one.name: one for one in rounds}}, prompts)
        rounds.append(replace(stage, loop=section.name, round=number))
    first, last = rounds[0], rounds[-1]
    start = found.get(first.start)
    if start is None or start.whole != first.whole:
        message = f"a first round that fails leaves {first.start}, which is no stage like it"
        raise Clash(message, *where, "rounds", allowed="a start of the same kind: an adapter that it goes on with")
    kept = replace(last, name=section.name, kind="rounds", section=section, start=first.start,
                   reference=first.reference, loop=section.name, round=loop.most)  # fmt: skip
    return [*rounds, replace(kept, under=kept.name) if last.whole else kept]


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
    lora = _lora(section, before, where)
    roles, tokens = _roles(section, before, lora, where)
    teaches = _lessons(section)
    texts = texts_of(section, teaches, before.texts if before else prompts, prompts, where)
    shown = {BASE: "", **{name: one.draft_of for name, one in found.items()}}
    stage = Stage(
        name=section.name,
        kind=kind,
        section=section,
        start=start,
        under=section.name if lora is None or tokens else before.under if before else BASE,
        lora=lora,
        goes_on=before is not None and not before.whole,
        teaches=teaches,
        texts=texts,
        roles=roles,
        tokens=tokens,
        reference=start if isinstance(section, Sft) or section.reference == START else section.reference,
        drafter=start if isinstance(section, Sft) or section.drafts == START else section.drafts,
        draft_of=draft_of(section, texts["answers"], before.draft_of if before else "", shown, where),
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


def _roles(
    section: Sft | Dpo, before: Stage | None, lora: Lora | None, where: tuple[str, int]
) -> tuple[Roles | None, tuple[str, ...]]:
    """The marks of a stage, and those that are new to the vocabulary."""
    inherited = before.roles if before else None
    roles = (section.roles if isinstance(section, Sft) else None) or inherited
    tokens = roles.marks if roles and roles.kind == "tokens" and roles != inherited else ()
    if tokens and lora and lora.quantize != "none":
        message = "new tokens are trained into the weights, which 4 bits cannot hold"
        raise Clash(message, *where, "roles", "kind", allowed="text, or quantize: none")
    if tokens and before and not before.whole:
        message = f"new tokens for the adapter of {before.name}, which it goes on with"
        raise Clash(message, *where, "roles", "kind", allowed="text, or give them to the first stage")
    return roles, tokens


def _can_be_held_to(stage: Stage, found: Mapping[str, Stage], where: tuple[str, int]) -> None:
    """That drafter and reference are there, and this one on the same weights: one model in memory is to be both."""
    allowed = ", ".join((START, BASE, *found))
    for field, name in (("drafts", stage.drafter), ("reference", stage.reference)):
        if name != BASE and name not in found:
            raise Clash(f"{name} is no earlier stage", *where, field, allowed=allowed)
    name = stage.reference
    under = found[name].under if name in found else BASE
    if stage.whole and under != name:
        message = f"all weights of {stage.name} are trained, and {name} is an adapter"
        raise Clash(message, *where, "reference", allowed="start, or a stage that is no adapter")
    if not stage.whole and under != stage.under:
        message = f"{name} stands on the weights of {under}, and {stage.name} on those of {stage.under}"
        raise Clash(message, *where, "reference", allowed="start")
