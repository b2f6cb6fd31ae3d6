"""From the recipe's runner to Prefect's: who makes a phase's chunks, how many at once, in which processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

from blocks.fleet import fleets
from blocks.fleet_key import one_key
from blocks.machine import cores
from blocks.places import is_shared
from blocks.preflight.runner import refuse_runner
from nightschool.chunks import Chunk
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.runner import Runner
from nightschool.wire import Endpoint
from tasks.crew import metered, share
from tasks.night import Night
from tasks.step import Served, Step

_ROOT = Path(__file__).resolve().parents[1]
# Chunks go through the store: what Ray is to hold is a few kB of states. It wants 75 MiB at least.
_RAY_MEMORY = 100 * 2**20


@dataclass(frozen=True, slots=True)
class Hands:
    """Who makes chunks: Prefect's task runner, how many chunks at once, whether in processes that are not the night's;
    who is asked, with the slots that each of these has.
    """

    runner: Any
    at_once: int
    apart: bool
    served: Served


class Cluster:
    """The night's cluster, started or connected to when the first chunk is for it."""

    def __init__(self, section: Runner, stack: ExitStack) -> None:
        self._section, self._stack = section, stack
        self._runner: Any = None

    @property
    def workers(self) -> int:
        return self._section.workers or cores()

    @property
    def stood_before(self) -> bool:
        """Whether it is somebody else's, and its processes know nothing of this night."""
        return self._section.address is not None

    def runner(self, at_once: int) -> Any:
        """Prefect's task runner for a phase."""
        if self._section.kind == "processes":
            return ProcessPoolTaskRunner(max_workers=at_once)
        if self._runner is None:
            self._runner = self._ray() if self._section.kind == "ray" else self._dask()
        return self._runner

    def _ray(self) -> Any:
        # Ray would tell its makers of every start.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
        from prefect_ray import RayTaskRunner

        quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False, "namespace": "nightschool"}
        if self._section.address:
            ray.init(self._section.address, **quiet)
        else:
            with _importable():
                ray.init(
                    "local",
                    num_cpus=self.workers,
                    include_dashboard=False,
                    object_store_memory=_RAY_MEMORY,
                    _node_ip_address="127.0.0.1",
                    **quiet,
                )
        self._stack.callback(ray.shutdown)
        return RayTaskRunner()

    def _dask(self) -> Any:
        from prefect_dask.task_runners import DaskTaskRunner

        if self._section.address:
            return DaskTaskRunner(address=self._section.address)
        from distributed import LocalCluster

        here: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": logging.ERROR}
        with _importable():
            started: Any = LocalCluster(n_workers=self.workers, threads_per_worker=1, **here)
        return DaskTaskRunner(address=self._stack.enter_context(started).scheduler_address)


_clusters: list[Cluster] = []


@contextmanager
def cluster(recipe: Recipe) -> Iterator[None]:
    """While inside, phases are made as the recipe's runner has it; what was started for them ends with the block.

    Raises:
        RecipeError, WorldError: the runner cannot work, see `refuse_runner`.
    """
    refuse_runner(recipe, PREFECT_API_URL.value())
    with ExitStack() as stack:
        if recipe.runner.kind != "threads":
            stack.enter_context(one_key())
            _clusters.append(Cluster(recipe.runner, stack))
            stack.callback(_clusters.pop)
        yield


def hands(night: Night, step: Step, chunks: Sequence[Chunk], served: Served) -> Hands:
    """Who makes these chunks of a phase: where no two of them are missing, threads of the night."""
    at_once = step.at_once(night)
    missing = len(chunks) - len(night.made(chunks)) if _clusters and not step.here else 0
    if missing < 2 or not all(map(_is_in_reach, served.values())):
        return Hands(ThreadPoolTaskRunner(max_workers=at_once), at_once, apart=False, served=served)
    found = _clusters[-1]
    slots = [endpoint.concurrency for endpoint in served.values()]
    at_once = min([max(at_once, found.workers), missing, *slots])
    shared = {name: share(endpoint, at_once - 1, at_once) for name, endpoint in served.items()}
    return Hands(found.runner(at_once), at_once, apart=True, served=shared)


def place_of(night: Night) -> str:
    """The night's store as any process on this machine opens it, whatever folder it was started in."""
    place = night.store.place
    return place if is_shared(place) else str(Path(place).absolute())


def _is_in_reach(endpoint: Endpoint) -> bool:
    """Whether other processes may ask it: nobody keeps its limits but us, and its key is no secret of this machine."""
    ours = any(fleet.behind(endpoint) for fleet in fleets())
    return not metered(endpoint) and not (ours and _clusters[-1].stood_before)


@contextmanager
def _importable() -> Iterator[None]:
    """Processes that are started inside import this very code, wherever the night was started."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
