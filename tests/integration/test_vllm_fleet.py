"""Two replicas of a real vLLM with the recipe's settings: asked, one engine killed, started again, all rows once."""

from __future__ import annotations

import json
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from blocks.client import Client
from blocks.fleet import Fleet, outlast
from blocks.pid_file import PidFile, alive
from blocks.servers import ServerSpec
from blocks.supervised import Death
from nightschool.wire import Ask, Message, Reply, Sampling
from tests.blocks.fleets import until
from tests.integration.random_qwen2 import make, make_adapter

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not find_spec("vllm"), reason="vllm is not installed"),
]
ROWS = 400
SCHEMA: dict[str, Any] = {
    "type": "object", "properties": {"answer": {"enum": ["A", "B"]}}, "required": ["answer"],
    "additionalProperties": False,
}  # fmt: skip


def asks(count: int) -> list[Ask]:
    sampling = Sampling(temperature=1, max_tokens=24)
    return [
        Ask(
            id=str(number),
            messages=(Message(role="user", content=f"Question {number}: A or B?"),),
            sampling=sampling,
            seed=number,
            json_schema=SCHEMA,
        )
        for number in range(count)
    ]


def engine_of(log_dir: Path) -> psutil.Process:
    """The second replica's engine, without which its API lives on for a while."""
    left = PidFile.model_validate_json((log_dir / "alba.base-1.pid.json").read_bytes())
    return next(each for each in alive(left.server.pid) if "EngineCore" in " ".join(each.cmdline()))


def test_an_engine_that_is_killed_costs_no_row_and_comes_back(tmp_path: Path) -> None:
    base = make(tmp_path / "base", layers=2)
    spec = ServerSpec(
        name="alba.base", engine="vllm", model=str(base), replicas=2, concurrency=8, max_model_len=256,
        adapters={"alba": str(make_adapter(base, tmp_path / "lora"))}, max_num_seqs=8, max_num_batched_tokens=512,
        enable_prefix_caching=True, structured_outputs="guidance", extra_args=("--scheduling-policy=fcfs",),
        startup_timeout_s=400,
    )  # fmt: skip
    deaths: list[Death] = []
    replies: list[Reply] = []
    with Client() as client, Fleet([spec], log_dir=tmp_path, on_progress=print, on_death=deaths.append) as fleet:
        endpoint = fleet.start()["alba"]
        engine = engine_of(tmp_path)

        def keep(reply: Reply) -> None:
            replies.append(reply)
            if len(replies) == ROWS // 4:
                engine.kill()

        wanted = asks(ROWS)
        outlast(endpoint, lambda: client.ask_all(endpoint, wanted, keep, lambda *lost: pytest.fail(str(lost))))
        assert Counter(reply.id for reply in replies) == dict.fromkeys(map(str, range(ROWS)), 1)
        assert all(json.loads(reply.choices[0].text)["answer"] in "AB" for reply in replies)
        until(lambda: deaths, within_s=60)
        until(lambda: set(fleet.states().values()) == {"up"}, within_s=300)
        assert [death.server for death in deaths] == ["alba.base-1"]
        before = {each.url: each.replies for each in client.replicas()}
        client.ask_all(endpoint, asks(64), lambda _: None, lambda *lost: pytest.fail(str(lost)))
        after = {each.url: each.replies for each in client.replicas()}
        assert all(after[url] > before[url] for url in endpoint.urls)
