"""Several processes train as one does: the same losses, one checkpoint, one end. Real launcher, real gloo."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from blocks.along import calling
from blocks.machine import gpus as find_gpus
from blocks.server_process import free_port
from nightschool.errors import DataError, WorldError
from nightschool.training.job import Job
from nightschool.training.launch import check_launcher, devices_of
from nightschool.training.record import Step, read_record
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

PLAN: dict[str, Any] = {
    "epochs": 2,
    "schedule": [{"epochs": 1, "cal": "center"}, {"epochs": 1, "cal": "center", "robust": "drop"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """43 rows in steps of 8: the last of an epoch has 3, which two processes can't share evenly."""
    root = tiny_training.write_school(tmp_path_factory.mktemp("processes"))
    for stage in ("sft", "dpo"):
        rows = [json.loads(line) for line in (root / f"{stage}.jsonl").read_text().splitlines()]
        rows[7]["weight"] = 3.0
        (root / f"{stage}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:43]))
    run(make_job(root, "sft", output=str(root / "start")))
    return root


def job_of(folder: Path, name: str, stage: str, **more: Any) -> Job:
    start = {"adapter": str(folder / "start")} if stage == "dpo" else {}
    there = {"output": str(folder / name), "checkpoints": str(folder / f"{name}-saved")}
    return make_job(folder, stage, **there, **start, **more)


def started(job: Job, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    log = path.with_suffix(".log").open("ab")
    command = [sys.executable, "-m", "nightschool.training", str(path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env)


def trained(job: Job) -> list[Step]:
    with started(job) as process:
        assert process.stdout is not None
        told = [json.loads(line) for line in process.stdout]
    assert process.returncode == 0, Path(job.output).with_suffix(".log").read_text()[-3000:]
    losses = read_record(Path(job.output)).losses
    assert [line["step"] for line in told] == [step.step for step in losses][-len(told) :]
    return losses


def cut_off(job: Job, at: int, number: signal.Signals) -> tuple[int, int]:
    """Stopped when it has told of step `at`; the exit code, and the last step that it told of. Nothing is left."""
    with started(job) as process:
        family = []
        last = 0
        assert process.stdout is not None
        for line in process.stdout:
            last = json.loads(line)["step"]
            if last == at:
                family = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(number)
    assert len(family) >= 3  # the launcher and two that train
    deadline = time.monotonic() + 180
    while alive := [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, alive
        psutil.wait_procs(alive, timeout=0.2)
    return process.returncode, last


def same(mine: Sequence[Step], wanted: Sequence[Step]) -> None:
    assert len(mine) == len(wanted)
    for one, other in zip(mine, wanted, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-3, abs=1e-5)
        assert one.learning_rate == other.learning_rate
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("launcher", "more"),
    [("ddp", PLAN), ("fsdp", {"robust": "paper", "cal": "paper", "learning_rate": 1e-4})],
)
def test_two_processes_have_the_losses_of_one(folder: Path, launcher: str, more: dict[str, Any]) -> None:
    """Of dpo; those of sft below."""
    wanted = run(job_of(folder, f"{launcher}-one", "dpo", **more))
    mine = trained(job_of(folder, f"{launcher}-two", "dpo", launcher=launcher, devices=2, **more))
    same(mine, wanted.losses)
    assert read_record(folder / f"{launcher}-two").dropped == wanted.dropped
    assert read_record(folder / f"{launcher}-two").resumed_at == 0


def test_two_machines_write_the_weights_of_one(folder: Path) -> None:
    """As machines do it, on this one's loopback: a launcher each, which meet at an address."""
    wanted = run(job_of(folder, "machines-one", "sft", learning_rate=1e-3))
    there = {"machines": 2, "devices": 1, "main_address": "127.0.0.1", "main_port": free_port()}
    (folder / "sft/key").mkdir(parents=True)
    job = job_of(folder, "sft/key/two", "sft", launcher="ddp", learning_rate=1e-3, **there)
    path = Path(job.output).with_suffix(".json")
    command, said = [sys.executable, "-m", "blocks.along", str(folder), "--rank", "1"], list[str]()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
        with calling(path, 2, said.append), started(job) as first:
            told = [json.loads(line) for line in first.communicate()[0].splitlines()]
        if first.returncode:
            second.terminate()
        assert second.stderr is not None
        heard = ""
        for heard in second.stderr:
            if heard.startswith(f"{path}: "):  # how it ended
                second.terminate()
    assert first.returncode == 0, path.with_suffix(".log").read_text()[-3000:]
    assert f"python -m blocks.along {folder} --rank N" in said[0]
    assert (second.returncode, heard) == (0, f"{path}: done\n")
    assert [line["step"] for line in told if "step" in line] == [step.step for step in wanted.losses]
    same(read_record(Path(job.output)).losses, wanted.losses)
    one, other = (next((folder / end).glob("*.safetensors")) for end in ("machines-one", "sft/key/two"))
    mine, theirs = weights(other), weights(one)
    assert mine.keys() == theirs.keys()
    assert all(mine[tensor].allclose(theirs[tensor], atol=1e-3) for tensor in theirs)


@pytest.mark.parametrize(
    ("launcher", "more"),
    [("ddp", {"batch_size": 4, "accumulation": 2}), ("fsdp", {"lora": None, "learning_rate": 1e-3})],
)
def test_killed_together_they_go_on_together(folder: Path, launcher: str, more: dict[str, Any]) -> None:
    wanted = run(job_of(folder, f"{launcher}-whole", "sft", epochs=3, **more)).losses
    job = job_of(folder, f"{launcher}-cut", "sft", epochs=3, launcher=launcher, devices=2, save_steps=2, **more)
    cut_off(job, 5, signal.SIGKILL)
    code, last = cut_off(job, 9, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM
    assert Path(job.output).with_suffix(".log").read_text().splitlines()[-1] == "stopped by SIGTERM"
    assert (folder / f"{launcher}-cut-saved" / f"checkpoint-{last}" / "whole.json").exists()
    same(trained(job), wanted)
    assert read_record(Path(job.output)).resumed_at == last


def test_what_stops_one_of_them_is_what_is_said(folder: Path) -> None:
    job = job_of(folder, "bad", "sft", launcher="ddp", devices=2, lora={"r": 4, "target_modules": ["nowhere"]})
    with started(job) as process:
        pass
    assert process.returncode == 2
    last = Path(job.output).with_suffix(".log").read_text().splitlines()[-1]
    assert "nowhere" in last
    assert not [path for path in folder.iterdir() if "partial" in path.name]


@pytest.mark.skipif(find_spec("deepspeed") is not None, reason="deepspeed is installed")
def test_deepspeed_is_refused_where_it_is_not_installed(folder: Path) -> None:
    with pytest.raises(WorldError, match="deepspeed, which is not installed"):
        check_launcher(make_job(folder, "sft", launcher="deepspeed", devices=2))


@pytest.mark.skipif(find_spec("deepspeed") is None, reason="deepspeed is not installed")
@pytest.mark.parametrize("more", [{}, {"lora": None, "learning_rate": 1e-3}], ids=["stage 2", "stage 3"])
def test_deepspeeds_engine_trains_saves_and_writes_what_one_process_does(folder: Path, more: dict[str, Any]) -> None:
    """As far as a CPU allows: an engine of one process, since accelerate counts no more than one without a GPU."""
    name = f"deep-{len(more)}"
    wanted = run(job_of(folder, f"{name}-one", "sft", **more)).losses
    job = job_of(folder, f"{name}-engine", "sft", launcher="deepspeed", save_steps=2, **more)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    alone = {"LOCAL_RANK": "0", "RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    with started(job, env={**os.environ, **alone, "DS_ACCELERATOR": "cpu"}) as process:
        assert process.stdout is not None
        process.stdout.read()
    assert process.returncode == 0, Path(job.output).with_suffix(".log").read_text()[-3000:]
    same(read_record(Path(job.output)).losses, wanted)
    one, other = (next((folder / f"{name}-{end}").glob("*.safetensors")) for end in ("one", "engine"))
    mine, theirs = weights(other), weights(one)
    assert all(mine[tensor].allclose(theirs[tensor], atol=1e-3) for tensor in theirs)


@pytest.mark.skipif(bool(find_gpus()), reason="there is a GPU here")
def test_deepspeed_without_a_gpu_is_refused_before_anything_is_started(folder: Path) -> None:
    with pytest.raises(DataError, match="launcher: deepspeed needs a CUDA device"):
        devices_of(make_job(folder, "sft", launcher="deepspeed", devices=2))
