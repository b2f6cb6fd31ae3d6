"""Several processes for one stage: started together, told to stop together, gone with whoever started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, TextIO

import orjson

from nightschool.errors import DataError, WorldError
from nightschool.training.job import Job
from nightschool.training.needs import NO_DEEPSPEED

STOP = b"stop\n"


def launched() -> bool:
    """Whether this process is one of several that train a stage together."""
    return "LOCAL_RANK" in os.environ


def is_first() -> bool:
    """Whether this process is the one that writes: the only one, or the first of several."""
    return os.environ.get("RANK", "0") == "0"


def check_launcher(job: Job) -> None:
    """See that what starts the processes is there, before any of them is.

    Raises:
        WorldError: launcher deepspeed, and the package is not installed.
        DataError: trained tokens are merged into the weights, of which no process has all.
    """
    if job.tokens and job.launcher != "ddp":
        raise DataError(f"launcher: {job.launcher} and trained tokens do not go together: launcher ddp trains them")
    if job.launcher == "deepspeed" and find_spec("deepspeed") is None:
        raise WorldError("launcher: deepspeed needs the package deepspeed, which is not installed; fsdp needs nothing")


def devices_of(job: Job) -> int:
    """How many processes a job is for; `auto` asks torch, in a process of its own, for the GPUs, and is 1 without any.

    Raises:
        WorldError: more devices are asked for than there are GPUs, on a machine that has any.
        DataError: launcher deepspeed, and there is no GPU.
    """
    if job.launcher == "plain":
        return 1
    ask = [sys.executable, "-c", "import torch; print(torch.cuda.device_count())"]
    there = int(subprocess.run(ask, capture_output=True, text=True, check=True).stdout)
    if job.launcher == "deepspeed" and not there:
        raise DataError(f"launcher: {NO_DEEPSPEED}; launcher fsdp trains on the CPU as well")
    if job.devices == "auto":
        return max(1, there)
    if there and job.devices > there:
        raise WorldError(f"devices: {job.devices} are asked for, this machine has {there}")
    return job.devices


def check_rank(job: Job, rank: int) -> None:
    """See that a machine's number is one of those that train together.

    Raises:
        DataError: it is not.
    """
    if not 0 <= rank < job.machines:
        raise DataError(f"--rank {rank}: machines is {job.machines}, and they count from 0")


def launch(job: Job, path: Path, devices: int, out: TextIO, most: int | None, rank: int = 0) -> dict[str, Any]:
    """Train with `devices` processes under accelerate's launcher, and wait for their end.

    Each holds our pipe as its stdin: what is written there tells them to stop, and its end ends them.

    Args:
        rank: which of the machines that train together this one is; each has so many processes.

    Returns:
        What the first of them that ended badly told of its end (see `tell_end`), `{"ended": 0}` if none did.
    """
    env = {
        **os.environ,
        **({"PYTHONSAFEPATH": "1"} if sys.flags.safe_path else {}),
        "OMP_NUM_THREADS": str(job.threads),
    }
    ends: list[dict[str, Any]] = []
    with subprocess.Popen(
        command(job, path, devices, most, rank),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
        start_new_session=True,  # a signal to our group is ours to hand on, once
    ) as agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        with _stopping(agent):
            for line in agent.stdout:
                told = _read(line)
                if told is None:
                    sys.stderr.write(line.decode(errors="replace"))
                elif "ended" in told:
                    ends.append(told)
                else:
                    out.write(line.decode())
                    out.flush()
        code = agent.wait()
    lost = {"ended": 3, "said": f"training with {devices} processes failed: its launcher ended with {code}"}
    return ends[0] if ends else lost if code else {"ended": 0}


def command(job: Job, path: Path, devices: int, most: int | None, rank: int = 0) -> list[str]:
    """The launcher's command line on one machine, see `launch`."""
    processes = devices * job.machines
    found = [sys.executable, "-m", "accelerate.commands.launch", *(["--multi_gpu"] if processes > 1 else [])]
    found += ["--num_processes", str(processes), "--num_machines", str(job.machines)]
    if job.machines > 1:
        found += ["--machine_rank", str(rank), "--same_network", "--main_process_ip", str(job.main_address)]
    found += ["--main_process_port", str(job.main_port if job.machines > 1 else 0)]
    found += ["--mixed_precision", "no", "--dynamo_backend", "no"]
    found += ["--num_cpu_threads_per_process", str(job.threads), "-m", "nightschool.training", str(path)]
    return found + (["--most", str(most)] if most else [])


@contextmanager
def _stopping(agent: subprocess.Popen[bytes]) -> Iterator[None]:
    """Inside, a signal to stop is handed on to the processes; a second one ends them at once."""
    told = False

    def hand_on(number: int, _frame: object) -> None:
        nonlocal told
        assert agent.stdin is not None
        if told:
            os.killpg(agent.pid, signal.SIGKILL)
        else:
            with contextlib.suppress(OSError, ValueError):  # ended just now
                agent.stdin.write(STOP)
                agent.stdin.flush()
        told = True

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def obey() -> None:
    """In each of the processes: the first of a machine obeys what is written to the pipe, and all end when it does."""
    if os.environ.get("LOCAL_RANK") == "0":
        threading.Thread(target=_listen, daemon=True).start()


def _listen() -> NoReturn:
    while said := os.read(0, len(STOP)):
        if said == STOP:
            os.kill(os.getpid(), signal.SIGTERM)
    os._exit(128 + signal.SIGTERM)


def tell_end(out: TextIO, code: int, said: str, *, most: int | None = None) -> None:
    """Tell whoever launched this process how it ended; `most`: begin again, with so many rows at a time."""
    out.write(orjson.dumps({"ended": code, "said": said, "most": most}).decode() + "\n")
    out.flush()


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
