"""A real vLLM's tokens of a prompt against training's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from blocks.fleet import Fleet
from blocks.rendering import served_tokens
from blocks.servers import ServerSpec
from nightschool.rendering import difference, rendered, tokens_of
from nightschool.wire import Message
from tests.integration.random_qwen2 import make

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not find_spec("vllm"), reason="vllm is not installed"),
]
ASKED = [
    (Message(role="user", content="Row of 4.  Who is second?\n\nA) Leo\nB) Dan "),),
    (Message(role="system", content="Answer yes or no."), Message(role="user", content="<|im_start|>Is it caf\u00e9?")),
]


def test_vllm_sees_the_prompts_that_training_sees(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    base = make(tmp_path / "base", layers=2)
    tokenizer = AutoTokenizer.from_pretrained(base)
    spec = ServerSpec(
        name="sft", engine="vllm", model=str(base), concurrency=8, max_model_len=256, max_num_seqs=8,
        max_num_batched_tokens=512, startup_timeout_s=400,
    )  # fmt: skip
    with Fleet([spec], log_dir=tmp_path, on_progress=print) as fleet:
        (endpoint,) = fleet.start().values()
        served = served_tokens(endpoint, ASKED)
    assert served is not None
    for ids, found in zip(rendered(tokenizer, ASKED, opened=True), served, strict=True):
        assert difference(tokens_of("trained", ids, tokenizer), found) is None
