"""The generation loop against transformers and PEFT themselves, on a model of random weights."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from scipy.stats import chisquare
from transformers import AutoModelForCausalLM

from blocks.embedded.batch import Batch
from blocks.embedded.grammar import Grammar, Grammars
from blocks.embedded.job import Completion, Job
from blocks.embedded.models import Loaded, load
from tests.integration.random_qwen2 import make, make_adapter

pytestmark = pytest.mark.integration
PROMPTS = ["Row of 4.", "Say Bob is father of Ivy. " * 4, "x", "Next in N4 P7 R10?", "All mice are lions. " * 9]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("generation") / "base", hidden=64, layers=2)


@pytest.fixture(scope="module")
def adapter(folder: Path) -> Path:
    return make_adapter(folder, folder.parent / "sft")


@pytest.fixture(scope="module")
def loaded(folder: Path, adapter: Path) -> Loaded:
    return load(folder, "base", {"sft": adapter}, "float32", 256)


@pytest.fixture(scope="module")
def grammars(loaded: Loaded) -> Grammars:
    return Grammars(loaded.tokenizer, loaded.vocab_size, loaded.stop_ids, 1)


class Asked:
    """A batch of one model, and what its jobs were answered."""

    def __init__(self, loaded: Loaded, grammars: Grammars, name: str = "base", slots: int = 4) -> None:
        self.batch = Batch(loaded.networks[name], grammars, loaded.stop_ids, slots, loaded.context)
        self.answers: dict[int, list[Completion] | str] = {}
        self._name = name
        self._tokenizer = loaded.tokenizer

    def prompt(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.backend_tokenizer.encode(text).ids)

    def add(self, key: int, text: str, *, grammar: Grammar | None = None, **fields: Any) -> Job:
        given = {"samples": 1, "temperature": 0.0, "top_p": 1.0, "max_tokens": 30, "seed": 0, "stops": None, **fields}
        done = lambda answer: self.answers.update({key: answer})  # noqa: E731
        job = Job(model=self._name, prompt=self.prompt(text), grammar=grammar, done=done, **given)
        self.batch.add(job)
        return job

    def run(self) -> None:
        with torch.inference_mode():
            while self.batch.busy:
                self.batch.step()

    def tokens(self, key: int) -> list[list[int]]:
        answer = self.answers[key]
        assert isinstance(answer, list)
        return [completion.tokens for completion in answer]


def _greedy(network: Any, prompt: tuple[int, ...], stop_ids: list[int], length: int) -> list[int]:
    out = network.generate(torch.tensor([prompt]), max_new_tokens=length, do_sample=False, eos_token_id=stop_ids)
    tokens = out[0, len(prompt) :].tolist()
    return tokens[:-1] if tokens[-1] in stop_ids else tokens


@pytest.mark.parametrize("name", ["base", "sft"])
def test_greedy_is_what_transformers_generates(
    loaded: Loaded, grammars: Grammars, folder: Path, adapter: Path, name: str
) -> None:
    """More rows than slots, prompts and limits of many lengths: rows join and leave all the time."""
    asked = Asked(loaded, grammars, name)
    wanted = [(text, length) for text in PROMPTS for length in (1, 7, 40)]
    for key, (text, length) in enumerate(wanted):
        asked.add(key, text, max_tokens=length)
    asked.run()
    network: Any = AutoModelForCausalLM.from_pretrained(folder)
    if name == "sft":
        network = PeftModel.from_pretrained(network, str(adapter))
    for key, (text, length) in enumerate(wanted):
        assert asked.tokens(key) == [_greedy(network, asked.prompt(text), loaded.stop_ids, length)]


def test_a_merged_adapter_gives_the_logits_of_the_unmerged_one(loaded: Loaded, folder: Path, adapter: Path) -> None:
    ids = torch.arange(40)[None]
    base: Any = AutoModelForCausalLM.from_pretrained(folder)
    with torch.inference_mode():
        plain = base(ids).logits
        unmerged = PeftModel.from_pretrained(base, str(adapter))(ids).logits
        torch.testing.assert_close(loaded.networks["sft"](ids).logits, unmerged, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(loaded.networks["base"](ids).logits, plain, atol=1e-4, rtol=1e-4)
    assert (plain - unmerged).abs().max() > 0.1


def test_a_drawn_row_is_the_same_in_any_company(loaded: Loaded, grammars: Grammars) -> None:
    wanted = {
        "temperature": 1.0,
        "seed": 5,
        "samples": 3,
        "grammar": grammars.compile({"type": "string", "minLength": 20}),
    }
    alone = Asked(loaded, grammars)
    alone.add(0, PROMPTS[1], **wanted)
    alone.run()
    crowd = Asked(loaded, grammars, slots=16)
    for key in range(1, 30):
        crowd.add(key, PROMPTS[key % 5] * (1 + key % 3), temperature=1.0, seed=key, max_tokens=1 + key)
    crowd.add(0, PROMPTS[1], **wanted)
    crowd.run()
    assert crowd.tokens(0) == alone.tokens(0)
    assert len({tuple(tokens) for tokens in alone.tokens(0)}) == 3


def test_a_grammar_leaves_each_allowed_token_its_share(loaded: Loaded, grammars: Grammars) -> None:
    """To refuse a draw and draw again among the allowed must give the distribution of a mask on every step."""
    grammar = grammars.compile({"type": "boolean"})
    asked = Asked(loaded, grammars, slots=64)
    asked.add(0, PROMPTS[0], grammar=grammar, temperature=1.0, samples=4000, max_tokens=1, seed=3)
    asked.run()
    with torch.inference_mode():
        logits = loaded.networks["base"](torch.tensor([asked.prompt(PROMPTS[0])])).logits[0, -1]
    allowed = torch.from_numpy(grammars.allowed([(grammar.start.deep_copy(), 0)], 1)[0])
    probs = torch.softmax(logits.masked_fill(~allowed, -torch.inf), -1).double().numpy()
    likely = np.flatnonzero(probs * 4000 > 5)
    seen = Counter(tokens[0] for tokens in asked.tokens(0))
    assert set(seen) <= set(np.flatnonzero(allowed.numpy()).tolist())
    assert len(likely) > 1
    counts = np.array([seen[token] for token in likely])
    assert chisquare(counts, probs[likely] / probs[likely].sum() * counts.sum()).pvalue > 0.001


def test_cancelled_rows_leave_at_the_next_step_and_are_not_answered(loaded: Loaded, grammars: Grammars) -> None:
    asked = Asked(loaded, grammars, slots=8)
    gone = [asked.add(key, PROMPTS[0], samples=6, max_tokens=200) for key in (1, 2)]
    asked.add(0, PROMPTS[1], max_tokens=5)
    with torch.inference_mode():
        asked.batch.step()
        for job in gone:
            job.cancelled = True
        asked.batch.step()
        assert {row.job for row in asked.batch.seats.rows}.isdisjoint(gone)
    asked.run()
    assert set(asked.answers) == {0}
    alone = Asked(loaded, grammars)
    alone.add(0, PROMPTS[1], max_tokens=5)
    alone.run()
    assert asked.tokens(0) == alone.tokens(0)


def test_the_lean_import_leaves_out_the_compiler_and_gives_it_back() -> None:
    script = """
import sys
from blocks.embedded.imports import lean_imports
with lean_imports():
    from transformers.models.qwen2.modeling_qwen2 import Qwen2ForCausalLM
assert not {"sympy", "torch._dynamo", "scipy.optimize", "torch.distributed.tensor"} & set(sys.modules)
import torch
assert torch.distributed.is_available()
import torch._dynamo
torch._dynamo.reset()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
