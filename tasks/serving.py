"""Model servers for the phases that ask: started when the first row needs them, stopped before training."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from blocks.fleet import Fleet, ServerSpec
from blocks.memory import tree_bytes
from nightschool.recipe.models import Model
from nightschool.wire import Endpoint
from tasks import dpo, progress, sft, training
from tasks.ledger import Ledger
from tasks.night import Night


class Desk:
    """The models that some phases ask; nothing is started for a phase whose chunks are all there."""

    def __init__(self, night: Night, ledger: Ledger, specs: Sequence[ServerSpec]) -> None:
        self._night, self._ledger, self._specs = night, ledger, specs
        self._fleet: Fleet | None = None

    @property
    def names(self) -> str:
        """Who is served, for people."""
        return ", ".join(name for spec in self._specs for name in spec.served)

    def served(self) -> dict[str, Endpoint]:
        """Endpoints by model or adapter name, started if they are not up, started again if they died since.

        Raises:
            WorldError: a server does not come up; carries the end of its log.
        """
        if self._fleet is not None:
            return self._fleet.start()
        counts = progress.track("serve", note=self.names)
        self._ledger.memory("before", tree_bytes())
        self._fleet = Fleet(self._specs, log_dir=self._night.dir / "servers", on_progress=counts.say)
        served = self._fleet.start()
        counts.finish("up")
        self._ledger.phase("serve", seconds=counts.seconds)
        return served

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fleet is not None:
            self._ledger.memory("serving", tree_bytes())
            self._fleet.stop()
            self._ledger.memory("after", tree_bytes())


def teachers(night: Night, ledger: Ledger) -> Desk:
    """All teachers, side by side."""
    return Desk(night, ledger, [spec_of(night, model) for model in night.recipe.teachers])


def student(night: Night, ledger: Ledger) -> Desk:
    """The student as `base`, and as `sft` and `dpo` as far as it has been trained."""
    model = night.recipe.student
    if model is None:
        return Desk(night, ledger, [])
    trained = {step.phase: night.made(step.chunks(night)) for step in (sft.STEP, dpo.STEP)}
    adapters = {phase: str(training.output(night, made[0][0])) for phase, made in trained.items() if made}
    spec = spec_of(night, model, name="base")
    return Desk(night, ledger, [spec.model_copy(update={"adapters": adapters})])


def spec_of(night: Night, model: Model, name: str | None = None) -> ServerSpec:
    """How this model is served: the recipe's `serve` section, with what the model itself overrides."""
    serve = night.recipe.serve
    return ServerSpec(
        name=name or model.name,
        engine=night.engines[model.name],  # pyright: ignore[reportArgumentType] - resolve() gives engine names only
        model=night.model_path(model),
        max_model_len=model.max_model_len or serve.max_model_len,
        threads=serve.threads,
        concurrency=model.concurrency or serve.concurrency,
        startup_timeout_s=serve.startup_timeout_s,
        request_timeout_s=serve.request_timeout_s,
        attempts=serve.attempts,
        dtype=serve.dtype,
        gpu_memory_utilization=serve.gpu_memory_utilization,
        tensor_parallel=model.tensor_parallel or serve.tensor_parallel,
        gpus=model.gpus or serve.gpus,
        extra_args=model.extra_args or serve.extra_args,
        urls=model.urls,
        key_env=model.key_env,
        script=model.script.model_dump_json() if model.script is not None else None,
    )
