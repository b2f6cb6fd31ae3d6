"""A search by Optuna whose trials are on file: it goes on after any end, and finished trials are never run again."""

from __future__ import annotations

import fcntl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from nightschool.errors import WorldError
from nightschool.recipe.tune import Span, Tune, Value
from nightschool.seeds import rng_of, seed_of
from nightschool.tune import Scored, State, Trial

_STATES: dict[TrialState, State] = {
    TrialState.RUNNING: "running", TrialState.WAITING: "running", TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned", TrialState.FAIL: "failed",
}  # fmt: skip
_TOLD = ("seconds", "looks", "why")


class _Ours(JournalFileOpenLock):
    """The journal is held for as long as the study is; Optuna's own lock files outlive a kill by 30 s."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return


class Study:
    """Trials of one search, in the order in which they were asked for; see `opened`."""

    def __init__(self, path: Path, how: Tune, nights: str) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._how, self._nights = how, nights
        storage = JournalStorage(JournalFileBackend(str(path), lock_obj=_Ours(str(path))))
        direction = "maximize" if how.upwards else "minimize"
        self._study = optuna.create_study(
            storage=storage, study_name="tune", direction=direction, pruner=_pruner(how), load_if_exists=True
        )

    def trials(self) -> tuple[Trial, ...]:
        """All of them as they stand on file."""
        return tuple(self._read(found) for found in self._study.get_trials(deepcopy=False))

    def next(self) -> Trial | None:
        """The trial that was cut off, else a new one; None when there are as many as are wanted."""
        trials = self._study.get_trials(deepcopy=False)
        for found in trials:
            if found.state is TrialState.RUNNING and set(found.params) == set(self._how.fields):
                return self._read(found)
            if found.state is TrialState.RUNNING:  # cut off while its values were drawn
                self._study.tell(found.number, state=TrialState.FAIL)
        ended = [found for found in trials if found.state.is_finished() and found.params]
        return self._ask(trials) if len(ended) < self._how.count else None

    def report(self, trial: Trial, rung: int, found: Scored) -> bool:
        """Puts a rung's score on file; whether the trial had better end here."""
        live = self._live(trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a trial that goes on reports a rung again: the first report stands
            live.report(found.value, rung)
        if f"rung {rung}" not in live.user_attrs:
            live.set_user_attr(f"rung {rung}", found.model_dump(mode="json"))
        return live.should_prune()

    def tell(self, trial: Trial, state: State, score: Scored | None = None, **told: Any) -> Trial:
        """The trial is over; what is told beside its score: seconds, looks, why."""
        live = self._live(trial)
        around = {"around": score.model_dump(mode="json", exclude={"value"})} if score else {}
        for name, value in (told | around).items():
            live.set_user_attr(name, value)
        ends = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        value = score.value if score and state == "complete" else None
        self._study.tell(trial.number, value, state=ends[state])
        return self._read(self._study.get_trials(deepcopy=False)[trial.number])

    def _ask(self, trials: Sequence[FrozenTrial]) -> Trial:
        # A sampler for each trial: after a kill the next one is drawn as it would have been.
        self._study.sampler = _sampler(self._how, seed_of("tune", self._how.seed, len(trials)))
        if self._how.sampler == "grid" and all(found.state is not TrialState.WAITING for found in trials):
            taken = [found.params for found in trials]
            self._study.enqueue_trial(next(one for one in _grid(self._how) if one not in taken))
        asked = self._study.ask({name: _distribution(each) for name, each in self._how.fields.items()})
        return self._read(self._study.get_trials(deepcopy=False)[asked.number])

    def _live(self, trial: Trial) -> optuna.Trial:
        found = self._study.get_trials(deepcopy=False)[trial.number]
        return optuna.Trial(self._study, found._trial_id)  # the way back to one on file

    def _read(self, found: FrozenTrial) -> Trial:
        attrs = found.user_attrs
        told = {name: attrs[name] for name in _TOLD if name in attrs}
        reached = sorted(found.intermediate_values.items())
        rungs = [attrs.get(f"rung {rung}", {}) | {"value": value} for rung, value in reached]
        whole = found.state is TrialState.COMPLETE and found.value is not None
        return Trial(
            number=found.number,
            night=f"{self._nights}.{found.number:03d}",
            state=_STATES[found.state],
            values=cast(dict[str, Value], dict(found.params)),
            rungs=tuple(Scored.model_validate(one) for one in rungs),
            score=Scored.model_validate(attrs.get("around", {}) | {"value": found.value}) if whole else None,
            **told,
        )


@contextmanager
def opened(path: Path, how: Tune, nights: str) -> Iterator[Study]:
    """The study of that file, begun if there is none; for one process at a time.

    Args:
        nights: what the trials' nights are called, before their numbers.

    Raises:
        WorldError: another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorldError(f"this tuning is running already ({path}): wait, or give --name") from None
        _mend(path)
        yield Study(path, how, nights)


def _mend(path: Path) -> None:
    """Takes a torn last line away: whatever was appended to it could never be read."""
    if path.is_file():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)


def _distribution(span: Span | tuple[Value, ...]) -> BaseDistribution:
    if isinstance(span, tuple):
        return CategoricalDistribution(span)
    if span.whole:
        return IntDistribution(int(span.low), int(span.high), log=span.log)
    return FloatDistribution(span.low, span.high, log=span.log)


def _sampler(how: Tune, seed: int) -> optuna.samplers.BaseSampler:
    if how.sampler != "tpe":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(2, how.trials // 3)))


def _grid(how: Tune) -> list[dict[str, Value]]:
    """Every combination, in an order of the seed's."""
    lists = [each for each in how.fields.values() if isinstance(each, tuple)]
    found = [dict(zip(how.fields, values, strict=True)) for values in product(*lists)]
    rng_of("tune", how.seed).shuffle(found)
    return found


def _pruner(how: Tune) -> optuna.pruners.BasePruner:
    if how.pruner == "none":
        return optuna.pruners.NopPruner()
    if how.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=how.warm_up)
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
