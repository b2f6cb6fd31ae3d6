"""The launcher's command line, on one machine and on each of several, and what is refused beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nightschool.errors import DataError
from nightschool.recipe.learning import Sft
from nightschool.recipe.section import Clash
from nightschool.training.job import Job
from nightschool.training.launch import check_rank, command

SEVERAL = {"launcher": "ddp", "machines": 4, "devices": 2, "main_address": "head", "main_port": 4444}


def job(**fields: Any) -> Job:
    given = {"stage": "sft", "name": "s", "model": "m", "rows": "r", "output": "o", "learning_rate": 1e-3, **fields}
    return Job.model_validate(given)


def value(flags: list[str], flag: str) -> str:
    return flags[flags.index(flag) + 1]


@pytest.mark.parametrize("rank", [0, 3])
def test_each_machine_is_told_where_all_of_them_meet(rank: int) -> None:
    flags = command(job(**SEVERAL), Path("job.json"), 2, None, rank)
    wanted = {
        "--num_processes": "8", "--num_machines": "4", "--machine_rank": str(rank), "--main_process_ip": "head",
        "--main_process_port": "4444",
    }  # fmt: skip
    assert {flag: value(flags, flag) for flag in wanted} == wanted
    assert "--multi_gpu" in flags


def test_a_machine_by_itself_takes_any_port() -> None:
    flags = command(job(launcher="ddp", devices=2), Path("job.json"), 2, 4)
    assert (value(flags, "--num_machines"), value(flags, "--main_process_port")) == ("1", "0")
    assert not {"--machine_rank", "--main_process_ip"} & set(flags)
    assert flags[-2:] == ["--most", "4"]


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"main_address": None}, "main_address", "4 machines need the address"),
        ({"launcher": "plain", "devices": 1}, "launcher", "4 machines need a launcher"),
        ({"devices": "auto"}, "devices", "same number of devices"),
        ({"devices": 3}, "devices", "do not divide"),
        ({"machines": 1}, "main_address", "for several machines"),
        ({"main_address": "--rdzv_conf"}, "main_address", "pattern"),
    ],
)
def test_what_is_not_said_of_several_machines_is_refused(fields: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Sft.model_validate({"learning_rate": 1e-3, **SEVERAL, **fields})
    [fault] = refused.value.errors()
    assert says in fault["msg"]
    clash = fault.get("ctx", {}).get("error")
    assert (clash.path if isinstance(clash, Clash) else fault["loc"])[-1] == field


def test_how_many_machines_train_is_no_part_of_what_they_train() -> None:
    assert job(**SEVERAL).identity() == job().identity()


@pytest.mark.parametrize("rank", [-1, 4])
def test_a_machine_that_is_none_of_them_is_refused(rank: int) -> None:
    with pytest.raises(DataError, match=f"--rank {rank}: machines is 4"):
        check_rank(job(**SEVERAL), rank)
