"""The same night on threads, processes, a Ray of two nodes and a Dask: the same keys and rows, and the same counts."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from blocks.store import ROWS
from flows.runners import cluster
from tasks import crew, progress
from tasks.steps import STEPS
from tests.flows.conftest import teach
from tests.half_night import Make, maker

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.usefixtures("prefect_harness")]
ROOT = Path(__file__).parents[2]
PHASES = ("pool", "answers", "committee")
SETS = ("questions=null", "answers.chunk_rows=4", "runner.workers=2")

MODELS = {"alba": ScriptedModel(accuracy=0.9), "bruno": ScriptedModel(accuracy=0.8)}

Contents = dict[str, str]


def run(make: Make, *sets: str) -> tuple[Contents, int, int]:
    """A night's rows by where they lie, by their digests; how many requests were answered; how many rows counted."""
    night, before = make(*SETS, *sets), crew.stats().replies
    with cluster(night.recipe):
        ledger = teach(night, *PHASES)
    assert not [phase.name for phase in ledger.run.phases if phase.failed_chunks]
    made = [one for phase in PHASES for one in night.made(STEPS[phase].chunks(night))]
    rows = {
        f"{chunk.phase}/{chunk.key}/{chunk.index}": mark.content
        for chunk, manifest in made
        for name, mark in manifest.files.items()
        if name.endswith(ROWS)
    }
    done = next(one.done for one in progress.standing() if one.phase == "answers")
    return rows, crew.stats().replies - before, done


@pytest.fixture(scope="module")
def on_threads(tmp_path_factory: pytest.TempPathFactory, prefect_harness: None) -> tuple[Contents, int, int]:
    return run(maker(tmp_path_factory.mktemp("threads")))


@pytest.mark.parametrize("kind", ["processes", "dask", "ray"])
def test_a_runner_on_this_machine_makes_the_same_rows(
    kind: str, make: Make, on_threads: tuple[Contents, int, int]
) -> None:
    if kind != "processes":
        pytest.importorskip(f"prefect_{kind}")
    assert run(make, f"runner.kind={kind}") == on_threads
    assert not multiprocessing.active_children(), "what was started has ended"


def test_a_ray_of_two_nodes_that_was_there_before_makes_the_same_rows(
    make: Make, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("prefect_ray")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with two_nodes() as address, scripted(Script(models=MODELS)) as url:
        fields = ("script=null", "engine=endpoint", f"urls=['{url}']")
        asked = [f"teachers.{n}.{field}" for n in (0, 1) for field in fields]
        sets = [f"runner={{kind: ray, address: '{address}', workers: 2}}", *asked]
        assert run(make, *sets) == run(maker(tmp_path_factory.mktemp("threads")), *asked)
    night = make(*SETS, *sets)
    makers = {night.store.path(chunk, "lock").read_text() for chunk in STEPS["answers"].chunks(night)}
    assert len(makers) == 2, "one on each node"
    assert not any(maker.endswith(f"process {os.getpid()}") for maker in makers)


@contextmanager
def two_nodes() -> Iterator[str]:
    """A Ray of two nodes with a processor each, as `ray start` on two machines makes it: its address."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        found.add_node(num_cpus=1)
        yield str(found.address)
    finally:
        found.shutdown()
