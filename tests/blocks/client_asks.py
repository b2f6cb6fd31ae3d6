"""What the tests of the client share: asks, servers that echo, and what came back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from blocks.client import Client
from blocks.scripted import Script, ScriptedModel
from nightschool.wire import Ask, Endpoint, Message, Reply, Sampling

PATIENCE_S = 20.0


class Got:
    """What came back for a call."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.failures: list[tuple[str, str, int, str]] = []

    def fail(self, ask: Ask, reason: str, attempts: int, text: str) -> None:
        self.failures.append((ask.id, reason, attempts, text))


def asks(count: int, prefix: str = "row", samples: int = 1) -> Iterator[Ask]:
    sampling = Sampling(temperature=0.5, max_tokens=9, samples=samples)
    for number in range(count):
        text = f"{prefix} {number}"
        yield Ask(id=text, messages=(Message(role="user", content=text),), sampling=sampling, seed=number)


def echo(model: ScriptedModel | None = None, **fields: Any) -> Script:
    return Script.model_validate({"behaviour": "echo", "models": {"m": model or ScriptedModel()}, **fields})


def latency(mean: float) -> ScriptedModel:
    return ScriptedModel.model_validate({"latency_s": {"mean": mean}})


def endpoint_of(*urls: str, concurrency: int = 8, **fields: Any) -> Endpoint:
    return Endpoint(model=fields.pop("model", "m"), urls=urls, concurrency=concurrency, **fields)


def ask_all(client: Client, endpoint: Endpoint, asks: Iterator[Ask]) -> Got:
    got = Got()
    client.ask_all(endpoint, asks, got.replies.append, got.fail)
    return got


def counted(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=60) as answer:
        return json.loads(answer.read())
