"""What a night wants to itself follows from what it runs, and waiting is told in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from blocks.devices import Gpu
from blocks.turns import Queue, ticket
from nightschool.errors import RecipeError
from tasks import turn
from tasks.night import Night
from tasks.turn import told, wish
from tests.half_night import Make


def gpu(index: int) -> Gpu:
    return Gpu("nvidia", index, "H200", 1, 0, f"GPU-{index}")


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    found: list[Gpu] = []
    monkeypatch.setattr(turn, "gpus", lambda: found)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv(turn.AT_ONCE, raising=False)
    return found


def asking(make: Make, engine: str, *sets: str) -> Night:
    """A night whose teachers are served by this engine, and that trains nobody."""
    night = make(*sets)
    recipe = night.recipe.model_copy(update={"student": None})
    return replace(night, recipe=recipe, engines=dict.fromkeys(night.engines, engine))


def test_on_a_cpu_a_night_that_computes_wants_a_place_and_one_that_only_asks_wants_none(make, monkeypatch) -> None:
    assert wish(asking(make, "scripted")).count == 0
    assert wish(asking(make, "endpoint")).count == 0
    assert wish(make()).devices == ("cpu-0",), "it trains a student"
    monkeypatch.setenv(turn.AT_ONCE, "2")
    computing = wish(asking(make, "transformers"))
    assert (computing.devices, computing.count) == (("cpu-0", "cpu-1"), 1)


def test_it_wants_the_devices_that_its_models_name_or_all_that_it_may_see(make, machine, monkeypatch) -> None:
    machine += [gpu(index) for index in range(4)]
    assert wish(asking(make, "vllm")).devices == ("gpu-0", "gpu-1", "gpu-2", "gpu-3")
    assert wish(asking(make, "vllm", "serve.gpus=[1, 2]")).devices == ("gpu-1", "gpu-2")
    assert wish(asking(make, "endpoint")).devices == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    found = wish(asking(make, "vllm"))
    assert (found.devices, found.count) == (("gpu-3",), 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-0b1/2")
    assert wish(asking(make, "vllm")).devices == ("MIG-0b1-2",)


def test_the_more_urgent_of_run_and_recipe_counts(make) -> None:
    assert not wish(make()).urgent
    assert wish(make(), "urgent").urgent
    assert wish(make("order.queue=urgent")).urgent


def test_a_number_of_nights_that_is_none_is_refused(make, monkeypatch) -> None:
    monkeypatch.setenv(turn.AT_ONCE, "none")
    with pytest.raises(RecipeError, match=turn.AT_ONCE):
        wish(asking(make, "transformers"))


def test_it_says_for_whom_it_waits(make) -> None:
    first = make(name="first")
    first.begin()
    mine, holder, other = (ticket(name, first.store.place, Path(), ["cpu-0"]) for name in ("second", "first", "third"))
    text = told(mine, Queue((holder,), (other,)))
    assert text == "waits for its turn at this machine's CPU: night first runs; before it in the queue: third"
