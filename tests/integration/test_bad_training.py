"""What can be wrong with a stage's input or its disk: named, and nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from nightschool.training.job import Job
from nightschool.training.record import read_record
from tests.integration import tiny_training
from tests.integration.tiny_training import make_job, run

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_training.write_school(tmp_path_factory.mktemp("bad"))


def ended(job: Job, *, most_kib: int | None = None) -> tuple[int, str]:
    """Exit code and all that the log has; no file may become larger than `most_kib`, as on a disk that is full."""
    path = Path(job.output).with_suffix(".json")
    path.write_text(job.model_dump_json())
    command = [sys.executable, "-m", "nightschool.training", str(path)]
    if most_kib:
        command = ["bash", "-c", f'ulimit -f {most_kib}; exec "$@"', "bash", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    return done.returncode, done.stderr


def test_a_full_disk_while_saving_is_told_and_costs_no_more_than_since_the_last_checkpoint(folder: Path) -> None:
    job = make_job(
        folder, "sft", epochs=3, save_steps=3, output=str(folder / "full"), checkpoints=str(folder / "saved")
    )
    code, said = ended(job, most_kib=60)
    assert code == 3, said
    assert said.splitlines()[-1].startswith("the disk takes no more (")
    assert "Traceback" not in said
    assert not (folder / "full").exists()
    assert not list((folder / "saved").glob("*/whole.json"))
    code, said = ended(job)
    assert code == 0, said
    assert "checkpoint of step 3 is damaged or half: not used" in said
    assert read_record(folder / "full").resumed_at == 0


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (REFUSING, r"rows\.jsonl:2: row s1: .*refuses system, user: System role not supported; put what"),
        ("{% set messages = messages | rejectattr('role', 'equalto', 'system') | list %}", r":2: .*leaves the system"),
    ],
)
def test_a_template_without_a_system_role_is_named_with_the_row(folder: Path, template: str, says: str) -> None:
    from transformers import AutoTokenizer

    from tests.integration import random_qwen2

    base = random_qwen2.make(folder / f"base-{len(template)}", hidden=32, layers=2)
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = template + random_qwen2.TEMPLATE
    tokenizer.save_pretrained(base)
    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()]
    rows[1]["prompt"].insert(0, {"role": "system", "content": "Be brief."})
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=says):
        run(make_job(folder, "sft", model=str(base), rows=str(path), output=str(folder / "never")))
    assert not (folder / "never").exists()


def test_one_class_only_is_said_however_its_rows_are_worded(folder: Path) -> None:
    lines = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()]
    asked = [{"id": row["id"], "prompt": row["prompt"], "answer": "B", "kind": "letter"} for row in lines]
    (folder / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    job = make_job(folder, "sft", output=str(folder / "same"), asked=str(folder / "asked.jsonl"))
    path = folder / "same.json"
    path.write_text(job.model_dump_json())
    command = [sys.executable, "-m", "nightschool.training", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    told = f"{folder / 'sft.jsonl'}: all 48 rows have the same answer: there is one class only to learn"
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0]) == {"note": told}
    assert told in done.stderr.splitlines()
    assert read_record(folder / "same").prompts.answers == 1
