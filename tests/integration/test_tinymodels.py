"""Tiny models made for real, with few steps: what comes out loads, serves and is the same every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from nightschool import school
from nightschool.tinymodels.corpus import writing_turn
from nightschool.tinymodels.initialise import OFFSETS, initialise
from nightschool.tinymodels.making import make, make_tokenizer, new_model
from nightschool.tinymodels.muon import orthogonalise
from nightschool.tinymodels.spec import ANSWERS, QUESTIONS, Run, SchoolSection, runs
from nightschool.tinymodels.train import Encoder

pytestmark = pytest.mark.integration

QUESTION = {"question": "Next in N14 P17 R20 T23?", "choices": "A) U25\nB) V26\nC) W24\nD) T27", "topic": "series"}


def few_steps(number: int) -> Run:
    return runs(SchoolSection(seed=3, scale=0.004))[number]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    out = tmp_path_factory.mktemp("models")
    return out, list(make(few_steps(0), out))


def test_every_model_of_a_run_is_whole_and_loads_as_its_users_load_it(made: tuple[Path, list[dict[str, Any]]]):
    out, _ = made
    assert sorted(path.name for path in out.iterdir()) == sorted(few_steps(0).models)
    for folder in out.iterdir():
        model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        assert model.config.vocab_size == len(tokenizer)
        assert next(model.parameters()).dtype == torch.float32
        assert 0 <= json.loads((folder / "training.json").read_text())["accuracy"]["all"] <= 1


def test_progress_counts_up_to_all_steps(made: tuple[Path, list[dict[str, Any]]]):
    lines = made[1]
    steps = [line["step"] for line in lines]
    assert steps == sorted(steps)
    assert steps[-1] == lines[-1]["steps"] == few_steps(0).steps
    assert {"loss", "tokens_per_s", "eta_s"} <= lines[-1].keys()


def test_the_same_run_makes_the_same_bytes_and_all_runs_share_one_tokenizer(
    made: tuple[Path, list[dict[str, Any]]], tmp_path: Path
):
    first = made[0] / few_steps(0).models[0]
    list(make(few_steps(0), tmp_path))
    again = tmp_path / first.name
    assert (again / "model.safetensors").read_bytes() == (first / "model.safetensors").read_bytes()
    list(make(few_steps(1), tmp_path))
    other = tmp_path / few_steps(1).models[0]
    assert (other / "tokenizer.json").read_bytes() == (first / "tokenizer.json").read_bytes()
    assert (other / "model.safetensors").read_bytes() != (first / "model.safetensors").read_bytes()


def test_training_sees_the_ids_that_serving_sends(tmp_path: Path):
    tokenizer = make_tokenizer(few_steps(0), tmp_path)
    messages = [message.model_dump() for message in ANSWERS.messages(**QUESTION)]
    served = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert Encoder(tokenizer).prompts([messages[-1]["content"]]) == [served]
    answered = [*messages, {"role": "assistant", "content": '{"reasoning":"step 2 3 so V26","answer":"B"}'}]
    whole: Any = tokenizer.apply_chat_template(answered, return_dict=True, return_assistant_tokens_mask=True)
    assert whole["input_ids"][: len(served)] == served
    assert whole["assistant_masks"] == [0] * len(served) + [1] * (len(whole["input_ids"]) - len(served))


def test_replies_of_the_easiest_level_fit_the_quickstart(tmp_path: Path):
    tokenizer = make_tokenizer(few_steps(0), tmp_path)
    assert len(tokenizer.encode(" Leo")) == len(tokenizer.encode(" grandmother")) == 1
    for topic in school.TOPICS:
        for puzzle in school.generate(topic, 50, seed=1):
            assert len(tokenizer.encode(puzzle.plan)) < 30
            assert len(tokenizer.encode(writing_turn(puzzle, QUESTIONS).reply)) < 115


def test_the_first_layer_looks_back_by_fixed_offsets_before_any_training(tmp_path: Path):
    tokenizer = make_tokenizer(few_steps(0), tmp_path)
    model = new_model(tokenizer)
    initialise(model, seed=1)
    model.set_attn_implementation("eager")
    ids = torch.tensor([tokenizer.encode(ANSWERS.messages(**QUESTION)[-1].content)])
    attention_H_T_T = model(input_ids=ids, output_attentions=True).attentions[0][0]
    for head, offset in enumerate(OFFSETS):
        assert attention_H_T_T[head].diagonal(-offset)[8:].mean() > 0.6


def test_muon_makes_singular_values_alike():
    matrices = torch.randn(2, 24, 96, generator=torch.Generator().manual_seed(1)) * 7
    values = torch.linalg.svdvals(orthogonalise(matrices))
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_lora_attaches_to_every_linear_layer(made: tuple[Path, list[dict[str, Any]]]):
    model = AutoModelForCausalLM.from_pretrained(made[0] / few_steps(0).models[0])
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    touched = {name.split(".")[-4] for name, _ in adapted.named_parameters() if "lora_A" in name}
    assert touched == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "nightschool.tinymodels", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=240)


def test_a_random_student_is_made_by_the_command(tmp_path: Path):
    (tmp_path / "run.json").write_text(runs(SchoolSection(kind="random"))[0].model_dump_json())
    done = command(tmp_path / "run.json", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "student" / "model.safetensors").is_file()


def test_a_run_that_cannot_be_read_or_written_ends_with_one_line(tmp_path: Path):
    (tmp_path / "run.json").write_text('{"name": 3}')
    refused = command(tmp_path / "run.json", tmp_path / "out")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    (tmp_path / "run.json").write_text(runs(SchoolSection(kind="random"))[0].model_dump_json())
    (tmp_path / "out").write_text("a file where the folder should be")
    failed = command(tmp_path / "run.json", tmp_path / "out")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("making student failed: ")
