"""How sure a real vLLM says its answers are, against what its model's probabilities are; and what a committee makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from blocks.client import Client
from blocks.fleet import Fleet
from blocks.servers import ServerSpec
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling
from nightschool.wire import Ask, Choice, Endpoint, Message, Reply, Sampling
from tasks import committee
from tasks.night import Night
from tests.file_night import make
from tests.integration.sure_qwen2 import confidence, make_sure

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not find_spec("vllm"), reason="vllm is not installed"),
]
SCHEMA: dict[str, Any] = {
    "type": "object", "properties": {"answer": {"enum": ["A", "B"]}}, "required": ["answer"],
    "additionalProperties": False,
}  # fmt: skip
RECIPE = """
name: sure
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
pool: {{file: q.jsonl}}
answers: {{reply: text, value: yes_no, prompt: p.txt, samples: 3, temperature: 1, max_tokens: 8}}
committee: {{strategy: confidence_weighted, confidence: logprobs, ties: first, min_agreement: 0.1}}
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("vllm")
    spec = ServerSpec(
        name="sure", engine="vllm", model=str(make_sure(folder / "model")), concurrency=8, max_model_len=256,
        max_num_seqs=8, max_num_batched_tokens=512, dtype="float32", startup_timeout_s=400,
    )  # fmt: skip
    with Fleet([spec], log_dir=folder, on_progress=print) as fleet:
        (found,) = fleet.start().values()
        yield found


def said(endpoint: Endpoint, sampling: Sampling, schema: dict[str, Any] | None = None) -> list[Choice]:
    replies: list[Reply] = []
    asks = [
        Ask(
            id=str(number),
            messages=(Message(role="user", content=f"Is it {number}?"),),
            sampling=sampling,
            seed=number,
            json_schema=schema,
        )
        for number in range(20)
    ]
    with Client() as client:
        client.ask_all(endpoint, asks, replies.append, lambda *lost: pytest.fail(str(lost)))
    return [choice for reply in replies for choice in reply.choices]


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_a_sample_is_as_sure_as_its_model_is_at_any_temperature(endpoint: Endpoint, temperature: float) -> None:
    found = said(endpoint, Sampling(temperature=temperature, max_tokens=8, samples=3, logprobs=True))
    assert {choice.text for choice in found} == {"yes", "no"}
    for choice in found:
        assert choice.confidence == pytest.approx(confidence(choice.text), rel=1e-3)


def test_a_sample_in_json_is_sure_too_and_nobody_who_was_not_asked(endpoint: Endpoint) -> None:
    sampling = Sampling(temperature=1, max_tokens=24, logprobs=True)
    found = said(endpoint, sampling, SCHEMA)
    assert all(json.loads(choice.text)["answer"] in "AB" for choice in found)
    assert all(choice.confidence is not None and 0 < choice.confidence <= 1 for choice in found)
    assert {choice.confidence for choice in said(endpoint, Sampling(temperature=1, max_tokens=8))} == {None}


def test_a_committee_weighs_votes_by_what_the_server_says(endpoint: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    (tmp_path / "q.jsonl").write_text("".join(f'{{"question": "Is {n} odd?"}}\n' for n in range(12)))
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    night = Night.plan(load_recipe(tmp_path / "r.yaml"))
    night.begin()
    make(night, {"ann": endpoint, "ben": endpoint}, "pool", "answers", "merge", "committee")
    rulings = night.rows(committee.chunks(night), Ruling)
    assert len(rulings) == 12
    split = [ruling for ruling in rulings if set(ruling.votes.values()) == {"yes", "no"}]
    assert split, "on some question the two teachers differ"
    for ruling in rulings:
        assert ruling.vote is not None
        assert ruling.confidence == pytest.approx(confidence(ruling.vote), rel=1e-3)
        # Both have one vote where they differ: the surer answer has the heavier.
        assert ruling.vote == ("yes" if confidence("yes") > confidence("no") else "no") or ruling not in split
