"""Marks as tokens of their own: rows trained, vocabularies never cut, and what is left is a model like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from tests.integration import tiny_training
from tests.integration.test_resume import killed
from tests.integration.tiny_training import make_job, run, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)
MARKS = ("<A>", "<Q>", "<C>")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny rows with a role in front of each prompt."""
    root = tiny_training.write_school(tmp_path)
    for stage in ("sft", "dpo"):
        lines = (root / f"{stage}.jsonl").read_text().splitlines()
        marked = [line.replace("Who is", f"{MARKS[index % 2]} Who is") for index, line in enumerate(lines)]
        (root / f"{stage}.jsonl").write_text("\n".join(marked) + "\n")
    return root


def remade(base: Path, *, tied: bool, padding: int) -> tuple[Any, Any]:
    """The base with its head tied or not, and so many rows beyond its tokens; it and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModelForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(len(tokenizer) + padding, mean_resizing=False)
    if not tied:
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone() * 1.5)
    model.save_pretrained(base)
    return AutoModelForCausalLM.from_pretrained(base), tokenizer


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("padding", [0, 64], ids=["full", "padded"])
@pytest.mark.parametrize("lora", [{"r": 4, "alpha": 16}, None], ids=["adapter", "whole"])
def test_rows_of_new_tokens_are_trained_and_no_others(folder: Path, tied: bool, padding: int, lora: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    before, spelling = remade(folder / "base", tied=tied, padding=padding)
    spelt = spelling.encode("<Q>", add_special_tokens=False)
    run(make_job(folder, "sft", tokens=MARKS, lora=lora, learning_rate=1e-2, output=str(folder / "out")))
    model: Any = AutoModelForCausalLM.from_pretrained(folder / "out")
    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "out")
    ids = tokenizer.convert_tokens_to_ids(list(MARKS))
    assert ids == [len(spelling), len(spelling) + 1, len(spelling) + 2]
    assert tokenizer.encode("<Q> Who", add_special_tokens=False)[0] == ids[1]
    rows, were = model.get_input_embeddings().weight, before.get_input_embeddings().weight
    assert len(rows) == len(spelling) + max(padding, 3)
    assert (model.lm_head.weight is rows) == tied
    start = were[spelt].mean(dim=0)
    assert (rows[ids[1]] - start).norm() > 1e-3, "it was trained"
    if lora:
        assert torch.equal(rows[: len(spelling)], were[: len(spelling)]), "nothing else of the vocabulary was"
        assert torch.allclose(rows[ids[2]], were[spelling.encode("<C>", add_special_tokens=False)].mean(dim=0)), (
            "a mark that no row has stays as it was spelt"
        )
    assert not (folder / "out" / "adapter_config.json").exists()


def test_dpo_goes_on_with_the_model_that_came_of_it(folder: Path) -> None:
    run(make_job(folder, "sft", tokens=MARKS, output=str(folder / "both")))
    record = run(make_job(folder, "dpo", model=str(folder / "both"), output=str(folder / "dpo")))
    assert record.initial.reward_margin == 0
    probes = json.loads((folder / "dpo" / "prompts.json").read_text())["probes"]
    assert {tuple(piece for piece in probe["pieces"] if piece in MARKS) for probe in probes} == {("<A>",), ("<Q>",)}


def test_a_mark_that_is_a_token_already_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"<\|im_end\|> is a token of this model already"):
        run(make_job(folder, "sft", tokens=("<|im_end|>",), output=str(folder / "never")))


def test_killed_it_goes_on_with_the_rows_of_new_tokens(folder: Path) -> None:
    fields: dict[str, Any] = {"tokens": MARKS, "epochs": 2, "save_steps": 2}
    job = make_job(folder, "sft", **fields, output=str(folder / "dead"), checkpoints=str(folder / "dead-saved"))
    run(make_job(folder, "sft", **fields, output=str(folder / "alive")))
    killed(job, 5)
    assert run(job).resumed_at > 0
    one, other = (weights(folder / name / "model.safetensors") for name in ("alive", "dead"))
    assert all(one[name].equal(other[name]) for name in one)
