"""The training command on real TRL and a random model: what it writes, what it tells, what it leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nightschool.errors import DataError
from nightschool.training.job import Job
from nightschool.training.record import read_record
from nightschool.training.rows import read_rows
from tests.integration import tiny_training
from tests.integration.tiny_training import load_adapter, logps, make_job, run, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)


def command(job: Job) -> list[str]:
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    return [sys.executable, "-m", "nightschool.training", str(path)]


def trained(job: Job) -> list[dict[str, float]]:
    done = subprocess.run(command(job), capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_training.write_school(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="module")
def sft_lines(folder: Path) -> list[dict[str, float]]:
    """What SFT told; its output is `folder/sft`."""
    return trained(make_job(folder, "sft", output=str(folder / "sft"), accumulation=2, epochs=4))


def test_command_trains_and_tells(folder: Path, sft_lines: list[dict[str, float]]) -> None:
    record = read_record(folder / "sft")
    assert [line["step"] for line in sft_lines] == list(range(1, 13)) == [step.step for step in record.losses]
    assert set(sft_lines[0]) == {"step", "steps", "loss", "tokens_per_s", "eta_s", "rss_bytes", "device_bytes"}
    assert sft_lines[-1]["steps"] == 12
    assert sft_lines[-1]["eta_s"] == 0
    assert (record.rows, record.steps, record.device) == (48, 12, "cpu")
    assert record.final.loss < 0.7 * record.initial.loss
    assert record.peak_rss_bytes >= max(line["rss_bytes"] for line in sft_lines)
    assert not [path for path in folder.iterdir() if "partial" in path.name]


def test_adapter_directory_is_what_a_server_loads(folder: Path, sft_lines: list[dict[str, float]]) -> None:
    from transformers import AutoTokenizer

    files = {path.name for path in (folder / "sft").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "training.json"} <= files
    assert not any(name.endswith((".bin", ".pt", ".md")) for name in files)
    tokenizer = AutoTokenizer.from_pretrained(folder / "sft")
    row = read_rows(folder / "sft.jsonl", "sft")[0]
    served = [message.model_dump() for message in row.prompt]
    prompt = tokenizer.apply_chat_template(served, add_generation_prompt=True, return_dict=False)
    completion = tokenizer.encode(row.endings[0][0].content + "<|im_end|>\n")
    model = load_adapter(folder / "base", folder / "sft")
    learned = logps(model, prompt, completion)
    with model.disable_adapter():
        assert learned > 0.5 * logps(model, prompt, completion)
    assert -learned / len(completion) == pytest.approx(read_record(folder / "sft").final.loss, rel=0.3)


def test_dpo_command_writes_one_adapter_that_moved(folder: Path, sft_lines: list[dict[str, float]]) -> None:
    lines = trained(make_job(folder, "dpo", adapter=str(folder / "sft"), output=str(folder / "dpo")))
    record = read_record(folder / "dpo")
    assert len(lines) == record.steps == 6
    assert (record.initial.reward_margin, record.final.reward_accuracy) == (0, 1)
    assert not (folder / "dpo" / "ref").exists()
    before, after = (weights(folder / name / "adapter_model.safetensors") for name in ("sft", "dpo"))
    assert before.keys() == after.keys()
    assert record.trained_parameters == sum(tensor.numel() for tensor in after.values())
    assert any(not before[name].equal(after[name]) for name in before)


def test_full_training_writes_a_model_and_repeats_bit_for_bit(folder: Path) -> None:
    from transformers import AutoModelForCausalLM

    jobs = [make_job(folder, "sft", lora=None, output=str(folder / name), learning_rate=1e-3) for name in ("f1", "f2")]
    records = [run(job) for job in jobs]
    once, again, start = (weights(folder / name / "model.safetensors") for name in ("f1", "f2", "base"))
    assert records[0].losses == records[1].losses
    assert all(once[name].equal(again[name]) for name in once)
    assert not any(once[name].equal(start[name]) for name in start)
    model = AutoModelForCausalLM.from_pretrained(folder / "f1")
    assert records[0].trained_parameters == model.num_parameters()


def test_adapter_of_another_base_is_refused(folder: Path, sft_lines: list[dict[str, float]]) -> None:
    from tests.integration import random_qwen2

    other = random_qwen2.make(folder / "other", hidden=64, layers=2)
    with pytest.raises(DataError, match="adapter does not fit"):
        run(make_job(folder, "dpo", model=str(other), adapter=str(folder / "sft"), output=str(folder / "never")))
    assert not [path for path in folder.iterdir() if "never" in path.name]


def test_unknown_modules_are_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"lora\.target_modules: .*nowhere"):
        run(make_job(folder, "sft", lora={"r": 4, "target_modules": ["nowhere"]}, output=str(folder / "never")))
    assert not [path for path in folder.iterdir() if "never" in path.name]


def test_stopped_training_leaves_nothing(folder: Path) -> None:
    job = make_job(folder, "sft", epochs=90, output=str(folder / "stopped"))
    with subprocess.Popen(command(job), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["step"] == 1
        process.send_signal(signal.SIGTERM)
        process.stdout.read()  # to its end, lest the process wait for a reader
        last = process.stderr.read().decode().splitlines()[-1]
    assert (process.returncode, last) == (128 + signal.SIGTERM, "stopped by SIGTERM")
    assert [path.name for path in folder.iterdir() if "stopped" in path.name] == ["stopped.json"]
