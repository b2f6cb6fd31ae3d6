"""Integrated gradients: they add up on tiny models, and find a draft that is all that counts, or counts for nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from nightschool.training.attribute_job import MARK, Attributed, AttributeJob, AttributeRow, Source
from nightschool.training.attribution import attributed, loaded, mean_embedding
from nightschool.training.gradients import complete, integrated
from nightschool.wire import Message
from tests.integration.random_qwen2 import make

pytestmark = pytest.mark.integration

WORDS = ("row", "Leo", "Dan", "Ivy", "lions", "mice", "cats", "father", "right", "left", "first", "follows")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("random") / "model", hidden=32, layers=2)


def rows(count: int, draft: str = "", of: Source = "own") -> list[AttributeRow]:
    found: list[AttributeRow] = []
    for number in range(count):
        rng = random.Random(number)
        question, said = (" ".join(rng.choices(WORDS, k=length)) for length in (12, 8))
        prompt = (Message(role="user", content=f"{question}?\nA draft: {MARK}\nAnswer."),)
        found.append(AttributeRow(id=f"q{number}", of=of, prompt=prompt, draft=draft or said, answers=("Yes.", "No.")))
    return found


def test_gradients_of_a_polynomial_are_integrated_exactly() -> None:
    """F(x) = (sum x)^3 from 0.5 everywhere: each of T x W entries carries its own step's share of the difference."""
    at, base = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double(), torch.full((2, 2), 0.5).double()
    found = integrated(lambda inputs: inputs.sum((1, 2)) ** 3, at, base, 5)
    moved = 10.0**3 - 2.0**3
    torch.testing.assert_close(found, (at - base).sum(-1) * moved / 8, rtol=1e-12, atol=0)


def test_steps_double_until_they_add_up_and_no_further() -> None:
    def steep(inputs: torch.Tensor) -> torch.Tensor:
        return torch.tanh(400 * (inputs.sum((1, 2)) - 0.03))

    at, base = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    found = complete(steep, at, base, steps=4, most_steps=1024, enough=0.05)
    assert found.error <= 0.05
    assert found.steps > 4
    cut = complete(steep, at, base, steps=4, most_steps=found.steps // 2, enough=0.05)
    assert cut.error > 0.05
    assert cut.steps == found.steps // 2


def test_attributions_add_up_on_a_tiny_model_for_all_but_a_row_in_a_hundred(folder: Path, tmp_path: Path) -> None:
    """By the command, as a night runs it."""
    asked = rows(100)
    (tmp_path / "rows.jsonl").write_text("".join(row.model_dump_json() + "\n" for row in asked))
    job = AttributeJob(model=str(folder), adapter=None, rows=str(tmp_path / "rows.jsonl"), threads=1)
    (tmp_path / "job.json").write_text(job.model_dump_json())
    command = [sys.executable, "-m", "nightschool.training.attribution", str(tmp_path / "job.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [Attributed.model_validate(json.loads(line)) for line in done.stdout.splitlines()]
    assert [row.id for row in found] == [row.id for row in asked]
    assert sum(row.lost is None and row.error <= 0.05 for row in found) >= 0.99 * len(found)
    assert all(0 < row.share < 1 and 0.1 < row.tokens < 0.6 for row in found if row.lost is None)


def planted(folder: Path, axis: int) -> tuple[Any, Any]:
    """A model that adds up one axis of what it reads: 0 is what drafts say (Z or Q), 1 what questions do."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    embed = torch.nn.Embedding(len(tokenizer), 2)
    vocab = tokenizer.get_vocab()
    with torch.no_grad():
        embed.weight.normal_(generator=torch.Generator().manual_seed(0))
        embed.weight[:, 0] = 0
        for word, sign in (("Z", 1.0), ("Q", -1.0)):
            embed.weight[vocab[word]] = torch.tensor([sign, 0.0])
        embed.weight[:, 1] -= embed.weight[:, 1].mean()  # the baseline says nothing on either axis
        embed.weight[[vocab["Z"], vocab["Q"]], 1] = 0
    readout = torch.randn(len(tokenizer), generator=torch.Generator().manual_seed(1))

    class Planted:
        device = torch.device("cpu")

        def get_input_embeddings(self) -> torch.nn.Embedding:
            return embed

        def __call__(self, inputs_embeds: torch.Tensor, logits_to_keep: int) -> SimpleNamespace:
            read = torch.tanh(inputs_embeds[:, :, axis].sum(1) / 4)
            return SimpleNamespace(logits=(read[:, None] * readout)[:, None, :])

    return Planted(), tokenizer


@pytest.mark.parametrize(("axis", "share"), [(0, 1.0), (1, 0.0)], ids=["draft only", "draft ignored"])
def test_all_of_it_lies_on_the_draft_where_nothing_else_counts_and_nothing_where_it_is_ignored(
    folder: Path, axis: int, share: float
) -> None:
    model, tokenizer = planted(folder, axis)
    job = AttributeJob(model="planted", adapter=None, rows="-")
    for row in rows(10, draft="Z"):
        found = attributed(model, tokenizer, mean_embedding(model), job, row)
        assert found.lost is None
        assert found.share == pytest.approx(share, abs=0.01)
        assert found.tokens < 0.1


def test_rows_that_cannot_be_attributed_say_why(folder: Path) -> None:
    attribute = loaded(AttributeJob(model=str(folder), adapter=None, rows="-", threads=1))
    [row] = rows(1)
    assert attribute(row.model_copy(update={"draft": "", "of": "shuffled"})) == Attributed(
        id="q0", of="shuffled", lost="no_draft"
    )
    assert attribute(row.model_copy(update={"answers": ("Yes.", "Yes.")})).lost == "same_token"
    stripped = row.model_copy(update={"prompt": (Message(role="user", content="No place for it."),)})
    assert attribute(stripped).lost == "template"


def test_answers_are_told_apart_at_their_first_token_that_differs(folder: Path) -> None:
    """Of JSON the letter, however much of it all answers share."""
    [row] = rows(1)
    answers = tuple(f'{{"reasoning":"","answer":"{letter}"}}' for letter in "ABCD")
    attribute = loaded(AttributeJob(model=str(folder), adapter=None, rows="-", threads=1))
    found = attribute(row.model_copy(update={"answers": answers}))
    assert found.lost is None
    assert found.moved != 0
