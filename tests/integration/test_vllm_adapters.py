"""A real vLLM that serves a model and adapters of it at once: nobody gets another's weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from blocks.client import Client
from blocks.fleet import Fleet
from blocks.servers import ServerSpec
from nightschool.wire import Ask, Endpoint, Message, Sampling
from tests.integration.random_qwen2 import make, make_adapter

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not find_spec("vllm"), reason="vllm is not installed"),
]
ASKED = [
    Ask(
        id=str(number),
        messages=(Message(role="user", content=f"Question {number}: A or B?"),),
        sampling=Sampling(temperature=0, max_tokens=24),
        seed=number,
    )
    for number in range(24)
]


def said(client: Client, endpoint: Endpoint) -> dict[str, str]:
    found: dict[str, str] = {}

    def keep(reply):
        found[reply.id] = reply.choices[0].text

    client.ask_all(endpoint, ASKED, keep, lambda *lost: pytest.fail(str(lost)))
    return found


def test_a_base_says_beside_its_adapters_what_it_says_alone(tmp_path: Path) -> None:
    """vllm 0.32 on a CPU gives a base in a mixed batch the weights in the last place for an adapter."""
    base = make(tmp_path / "base", layers=2)
    spec = ServerSpec(
        name="base", engine="vllm", model=str(base), concurrency=12, max_model_len=256, max_num_seqs=32,
        adapters={name: str(make_adapter(base, tmp_path / name, seed)) for seed, name in enumerate(("sft", "dpo"))},
        max_num_batched_tokens=512, startup_timeout_s=400,
    )  # fmt: skip
    with Client() as client, Fleet([spec], log_dir=tmp_path, on_progress=print) as fleet:
        endpoints = fleet.start()
        alone = {name: said(client, endpoint) for name, endpoint in endpoints.items()}
        with ThreadPoolExecutor(3) as pool:
            together = dict(zip(endpoints, pool.map(lambda one: said(client, one), endpoints.values()), strict=True))
    assert together == alone
    assert len({tuple(sorted(each.items())) for each in alone.values()}) == 3, "each has words of its own"
