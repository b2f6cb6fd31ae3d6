"""Model servers for the phases that ask: started when the first row needs them, stopped before training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

from blocks.arrange import arrange
from blocks.fleet import Fleet
from blocks.machine import gpus
from blocks.memory import tree_bytes
from blocks.servers import ServerSpec, spec_of
from blocks.supervised import Death
from nightschool.arena_keys import is_stage
from nightschool.chunks import Chunk
from nightschool.errors import RecipeError
from nightschool.recipe import predict
from nightschool.recipe.arena import players_of, voters
from nightschool.recipe.models import Model
from nightschool.recipe.quality import judges_of
from nightschool.recipe.stages import BASE, Stage
from nightschool.report.text import size
from nightschool.wire import Endpoint
from tasks import ablate, progress, stages, timing
from tasks.ledger import Ledger
from tasks.night import Night


class Desk:
    """The models that some phases ask; nothing is started for a phase whose chunks are all there.

    Args:
        waves: who is up together; a wave's servers end before those of another start.
        asked: who is asked for the chunks at a place, such as pairs/dpo; where it is left out, their part itself.
    """

    def __init__(
        self,
        night: Night,
        ledger: Ledger,
        waves: Sequence[Sequence[ServerSpec]],
        asked: Mapping[str, str] | None = None,
    ) -> None:
        self._night, self._ledger = night, ledger
        self._waves = [tuple(wave) for wave in waves]
        self._asked = dict(asked or {})
        self._fleet: Fleet | None = None
        self._up = 0

    def names(self, chunks: Sequence[Chunk]) -> str:
        """Who is served for these chunks, for people."""
        return ", ".join(name for spec in self._waves[self._wave(chunks)] for name in spec.served)

    def batches(self, chunks: Sequence[Chunk]) -> list[list[Chunk]]:
        """Chunks by the wave that serves them, each in order; the wave that is up comes first, to be started once."""
        if len(self._waves) < 2:
            return [list(chunks)]
        found = [[chunk for chunk in chunks if self._wave([chunk]) == wave] for wave in range(len(self._waves))]
        first = found.pop(self._up)
        return [batch for batch in (first, *found) if batch]

    def served(self, chunks: Sequence[Chunk]) -> dict[str, Endpoint]:
        """Endpoints by model or adapter name, started if they are not up, started again if they died since.

        Args:
            chunks: one of `batches`.

        Raises:
            RecipeError: the machine lacks devices that the recipe asks for.
            WorldError: a server does not come up; carries the end of its log.
        """
        wave = self._wave(chunks)
        if self._fleet is not None and wave == self._up:
            return self._fleet.start()
        self.stop()
        self._up = wave
        counts = progress.track("serve", note=self.names(chunks))
        self._note_memory("before")
        folder = self._night.servers
        self._fleet = Fleet(self._waves[wave], log_dir=folder, on_progress=progress.notice, on_death=self._note_death)
        served = self._fleet.start()
        counts.finish(self._held(self._fleet))
        self._ledger.started(chunks[0].phase, self.names(chunks), engines(self._waves[wave]), counts.seconds)
        return served

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the servers; the next phase that asks starts them again."""
        if self._fleet is not None:
            self._note_memory("serving")
            self._fleet.stop()
            self._fleet = None
            self._note_memory("after")

    def _note_memory(self, moment: str) -> None:
        self._ledger.memory(moment, tree_bytes())
        for gpu in gpus():
            self._ledger.device(gpu.label, moment, gpu.used)

    @staticmethod
    def _held(fleet: Fleet) -> str:
        """What the servers hold, for people."""
        held = fleet.memory()
        servers = f"{len(held)} server{'' if len(held) == 1 else 's'}"
        parts = ["up", *([f"{servers} with {size(sum(held.values()))}"] if held else [])]
        return ", ".join([*parts, *(f"{size(gpu.used)} on device {gpu.index}" for gpu in gpus())])

    def _wave(self, chunks: Sequence[Chunk]) -> int:
        """The wave that serves the first chunk's part; where all are up together there is only one."""
        parts = {self._asked.get(f"{chunk.phase}/{chunk.part}", chunk.part) for chunk in chunks[:1]}
        of_part = (place for place, wave in enumerate(self._waves) for spec in wave if parts & set(spec.served))
        return next(of_part, 0)

    def _note_death(self, death: Death) -> None:
        progress.notice(death.line, urgent=True)
        self._ledger.died(death.server, death.how, death.log, again=death.again_in_s is not None)


def engines(specs: Sequence[ServerSpec]) -> str:
    """The engines of servers that are up together, in a word."""
    return "+".join(sorted({spec.engine for spec in specs}))


def teachers(night: Night, ledger: Ledger) -> Desk:
    """All teachers, side by side or one after the other as the recipe and the machine have it."""
    specs = [_spec(night, model) for model in night.recipe.teachers]
    return Desk(night, ledger, arrange(specs, night.recipe.serve.placement))


def student(night: Night, ledger: Ledger, *names: str) -> Desk:
    """The student as `base` and as the stages trained by now; one that was trained whole has a server of its own.

    Args:
        names: the stages that are asked, if others need no server; all but the rounds of loops if there are none.
    """
    if night.recipe.learner is None:
        return Desk(night, ledger, [])
    asked = {f"pairs/{stage.name}": stage.drafter for stage in stages.of_kind(night, "dpo")}
    asked |= {f"ablate/{part}": name for part, (name, _) in ablate.parts(night).items()}
    asked |= {f"rounds/{stages.gates(loop)[0]}": loop.start for loop in stages.of_kind(night, "rounds")}
    asked |= timing.asked(night)
    return Desk(night, ledger, arrange(_student(night, names), night.recipe.serve.placement), asked)


def players(night: Night, ledger: Ledger) -> Desk:
    """Whoever writes, answers or votes in the arena: teachers, rivals, and the student as all that it was."""
    playing = {name for one in players_of(night.recipe) for name in (one.writes, one.answers)}
    return _models(night, ledger, playing | {*voters(night.recipe)})


def judges(night: Night, ledger: Ledger) -> Desk:
    """The models that compare questions."""
    return _models(night, ledger, judges_of(night.recipe))


def _models(night: Night, ledger: Ledger, named: Collection[str]) -> Desk:
    """Models by name; all stages of the student where one of them is named."""
    specs = [_spec(night, model) for model in night.recipe.models if model.name in named]
    if any(is_stage(night.recipe, name) for name in named):
        specs += _student(night)
    return Desk(night, ledger, arrange(specs, night.recipe.serve.placement) if specs else [])


def ensemble(night: Night) -> list[ServerSpec]:
    """The servers of an ensemble's models, all up together, with their devices.

    Raises:
        RecipeError: a stage has not been trained; the machine has no room for all at once.
    """
    names = predict.models(night.recipe)
    specs = [_spec(night, teacher) for teacher in night.recipe.teachers if teacher.name in names]
    asked = [name for name in names if night.recipe.learner and name in stages.learner(night).measured]
    asked += [drafter for name in asked if (drafter := stages.learner(night).draft_of(name)) and drafter not in asked]
    trained = {BASE, *(stage.name for stage in _trained(night))} if asked else set[str]()
    if missing := [name for name in asked if name not in trained]:
        mend = f"train it first: nightschool run, with the same recipe and --name {night.name}"
        raise RecipeError(f"stage {missing[0]} has not been trained; {mend}", field="predict.models")
    waves = arrange([*specs, *(_student(night, asked) if asked else ())], night.recipe.serve.placement)
    if len(waves) > 1:
        together = "; ".join(" and ".join(spec.name for spec in wave) for wave in waves)
        raise RecipeError(f"an ensemble's models are up together, and here they have no room: {together}",
                          field="predict.models", allowed="fewer, smaller or quantised ones, or endpoints")  # fmt: skip
    return list(waves[0])


def _student(night: Night, names: Sequence[str] = ()) -> list[ServerSpec]:
    """Servers of the stages that are named, or of the base and all but the rounds of loops."""
    model = stages.learner(night).student
    up = [stage for stage in _trained(night) if (stage.name in names if names else not stage.passing)]
    whole = [stage.name for stage in up if stage.whole]
    under = [*([BASE] if BASE in names else []), *(stage.under for stage in up)] if names else [BASE, *whole]
    return [
        _spec(night, model, lowest).model_copy(
            update={
                "model": stages.weights(night, lowest).model,
                "adapters": {
                    stage.name: str(stages.output(night, stage.name))
                    for stage in up
                    if stage.under == lowest and not stage.whole
                },
            }
        )
        for lowest in dict.fromkeys(under)
    ]


def _trained(night: Night) -> list[Stage]:
    return [stage for stage in stages.learner(night).stages if stages.made_from(night, stage.name)]


def _spec(night: Night, model: Model, name: str | None = None) -> ServerSpec:
    engine, path = night.engines[model.name], night.model_path(model)
    return spec_of(model, night.recipe.serve, engine=engine, path=path, name=name)
