"""What the tests of the fleet share: servers that echo, and ways to look at them."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from blocks.client import Client
from blocks.fleet import Fleet
from blocks.pid_file import PidFile
from blocks.servers import ServerSpec
from nightschool.wire import Ask, Endpoint, Message, Reply, Sampling

PATIENCE_S = 120.0


def until(done: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def spec_with(name: str = "t", **fields: Any) -> ServerSpec:
    return ServerSpec.model_validate({"name": name, "engine": "scripted", "model": name, **fields})


def fleet_of(folder: Path, *specs: ServerSpec) -> Fleet:
    return Fleet(specs, log_dir=folder, on_progress=lambda _: None)


def pid_file_of(folder: Path, name: str = "t") -> PidFile:
    return PidFile.model_validate_json((folder / f"{name}.pid.json").read_bytes())


def ask_the_rest(client: Client, endpoint: Endpoint, count: int, found: dict[str, Reply], failed: set[str]) -> None:
    sampling = Sampling(temperature=0, max_tokens=9)
    message = (Message(role="user", content="hello"),)
    rest = [str(number) for number in range(count) if str(number) not in found.keys() | failed]
    asks = [Ask(id=name, messages=message, sampling=sampling, seed=int(name)) for name in rest]
    client.ask_all(endpoint, asks, lambda reply: found.update({reply.id: reply}), lambda one, *_: failed.add(one.id))


def ask(client: Client, endpoint: Endpoint, count: int) -> list[Reply]:
    replies: list[Reply] = []
    sampling = Sampling(temperature=0, max_tokens=9)
    asks = [
        Ask(id=str(number), messages=(Message(role="user", content="hello"),), sampling=sampling, seed=number)
        for number in range(count)
    ]
    client.ask_all(endpoint, asks, replies.append, lambda *failure: pytest.fail(str(failure)))
    return replies


def stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as answer:
        return json.load(answer)
