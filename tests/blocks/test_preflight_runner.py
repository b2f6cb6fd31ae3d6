"""A runner that could not work is refused before a night begins, with what to do."""

from __future__ import annotations

import socket

import pytest

from blocks.preflight import runner
from blocks.preflight.runner import refuse_runner, runner_checks
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.load import find_recipe, load_recipe
from nightschool.recipe.recipe import Recipe

HERE, ELSEWHERE = "http://127.0.0.1:4200/api", "http://head:4200/api"


def recipe(given: str, *sets: str) -> Recipe:
    return load_recipe(find_recipe("smoke"), sets=[f"runner={given}", *sets])


def test_threads_and_processes_need_nothing() -> None:
    assert runner_checks(recipe("threads")) == []
    assert [check.outcome for check in runner_checks(recipe("processes"))] == ["ok"]
    refuse_runner(recipe("processes"), None)


@pytest.mark.parametrize("kind", ["ray", "dask"])
def test_without_its_extra_it_is_refused_by_name(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=rf"not installed: \w+, prefect_{kind}") as refused:
        refuse_runner(recipe(kind), HERE)
    assert f"nightschool[{kind}]" in str(refused.value)
    assert [check.outcome for check in runner_checks(recipe(kind))] == ["fail"]


def test_workers_elsewhere_must_reach_the_server_and_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "find_spec", lambda name: True)
    monkeypatch.setattr(runner, "_REACH_S", 0.01)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    far = recipe("{kind: dask, address: 'tcp://192.0.2.1:8786'}")
    for url in (None, HERE):
        with pytest.raises(
            RecipeError, match=r"192\.0\.2\.1 cannot report to a Prefect server on this machine's loopback"
        ):
            refuse_runner(far, url)
    with pytest.raises(WorldError, match=r"no dask cluster answers at tcp://192\.0\.2\.1:8786"):
        refuse_runner(far, ELSEWHERE)
    assert [check.outcome for check in runner_checks(far)] == ["fail", "fail", "warn"]


def test_a_cluster_on_this_machine_may_report_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        near = recipe(f"{{kind: ray, address: '{address}'}}")
        monkeypatch.setattr(runner, "find_spec", lambda name: True)
        refuse_runner(near, HERE)
        assert [check.detail for check in runner_checks(near)] == [f"at {address}"]
