"""A stage that is looked at on held-back rows: what is measured, which step is left, and after any end the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from nightschool.training.job import Job, load_job
from nightschool.training.record import Evaluation, Record
from tests.integration import tiny_training
from tests.integration.test_resume import killed
from tests.integration.tiny_training import load_adapter, logps, make_job, run, trainer_of, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)

# What is learned says "B, ...", what is held back "A, ...": its loss falls while words are learned, and then rises.
EVERY_2: dict[str, Any] = {"eval_steps": 2}
LORA = {"r": 8, "alpha": 32, "dropout": 0.1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 rows to learn and 7 of each kind that are held back, one of them of weight 3."""
    root = tiny_training.write_school(tmp_path_factory.mktemp("best"))
    for stage in ("sft", "dpo"):
        rows = [json.loads(line) for line in (root / f"{stage}.jsonl").read_text().splitlines()][:7]
        for place, row in enumerate(rows):
            row["id"], row["weight"] = f"held{place}", 3.0 if place == 2 else 1.0
            row["prompt"][0]["content"] = row["prompt"][0]["content"].replace("Who is", "Where is")
            if stage == "sft":
                row["completion"][0]["content"] = "A, the second is cats"
            elif place % 2:
                row["chosen"], row["rejected"] = row["rejected"], row["chosen"]
        (root / f"{stage}-held.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(make_job(root, "sft", output=str(root / "start"), lora=LORA))
    return root


def job_of(folder: Path, stage: str, name: str, evaluate: dict[str, Any] = EVERY_2, **more: Any) -> Job:
    start = {"adapter": str(folder / "start"), "learning_rate": 3e-2} if stage == "dpo" else {}
    there = {"output": str(folder / name), "checkpoints": str(folder / f"{name}-saved"), "save_steps": 3}
    fields = {
        "epochs": 5,
        "learning_rate": 2e-2,
        "lora": LORA,
        "held": str(folder / f"{stage}-held.jsonl"),
        "evaluate": evaluate,
    }
    return make_job(folder, stage, **there | fields | start | more)


def best_of(record: Record, metric: str = "loss") -> Evaluation:
    return (min if metric == "loss" else max)(record.evaluations, key=lambda one: getattr(one, metric))


def adapter(folder: Path, name: str) -> dict[str, Any]:
    return weights(folder / name / "adapter_model.safetensors")


def same(folder: Path, first: str, second: str) -> None:
    one, other = adapter(folder, first), adapter(folder, second)
    assert all(one[name].equal(other[name]) for name in one)


@pytest.fixture(scope="module")
def whole(folder: Path) -> Record:
    return run(job_of(folder, "sft", "whole"))


def test_the_best_step_is_left_and_not_the_last(folder: Path, whole: Record) -> None:
    assert [one.step for one in whole.evaluations] == list(range(2, 31, 2))
    assert whole.chosen is not None
    assert whole.chosen == best_of(whole).step < whole.steps
    assert whole.held == 7
    stopped = job_of(folder, "sft", "until", checkpoints=str(folder / "until-saved"), save_steps=whole.chosen)
    killed(stopped, whole.chosen + 1)
    at = adapter(folder, f"until-saved/checkpoint-{whole.chosen}")
    left = adapter(folder, "whole")
    assert all(left[name].equal(at[name]) for name in left)


def test_looking_leaves_training_as_it_is(folder: Path, whole: Record) -> None:
    alone = run(job_of(folder, "sft", "alone", evaluate=None, held=None))  # type: ignore[arg-type]
    assert whole.losses == alone.losses
    assert (whole.tokens, alone.evaluations, alone.chosen) == (alone.tokens, [], None)
    last = run(job_of(folder, "sft", "last", {**EVERY_2, "load_best_model_at_end": False}))
    assert last.evaluations == whole.evaluations
    assert last.chosen == last.steps
    same(folder, "last", "alone")


def test_the_loss_of_held_back_rows_is_the_one_that_is_trained(folder: Path, whole: Record) -> None:
    """By hand: each token's log-probability by the definition, times its row's weight, over all tokens."""
    model = load_adapter(folder / "base", folder / "whole")
    rows = [json.loads(line) for line in (folder / "sft-held.jsonl").read_text().splitlines()]
    from nightschool.training.rows import read_rows

    held, _ = trainer_of(job_of(folder, "sft", "by-hand"), read_rows(folder / "sft-held.jsonl", "sft"))
    total = tokens = 0.0
    for row, ids in zip(rows, held.train_dataset, strict=True):
        learned = sum(label != -100 for label in ids["labels"])
        prompt, completion = ids["input_ids"][:-learned], ids["input_ids"][-learned:]
        total -= row["weight"] * logps(model, prompt, completion)
        tokens += learned
    assert best_of(whole).loss == pytest.approx(total / tokens, rel=1e-4)


@pytest.mark.parametrize("metric", ["loss", "reward_accuracy"])
def test_pairs_that_are_held_back_choose_a_step_of_dpo(folder: Path, metric: str) -> None:
    evaluate = {**EVERY_2, "metric_for_best_model": metric}
    record = run(job_of(folder, "dpo", f"dpo-{metric}", evaluate, epochs=2))
    assert record.chosen == best_of(record, metric).step
    left, start = (load_adapter(folder / "base", folder / name) for name in (f"dpo-{metric}", "start"))
    rows = [json.loads(line) for line in (folder / "dpo-held.jsonl").read_text().splitlines()]
    from nightschool.training.rows import read_rows

    held, _ = trainer_of(job_of(folder, "dpo", "dpo-hand", evaluate), read_rows(folder / "dpo-held.jsonl", "dpo"))
    margins = [
        0.1
        * sum(
            sign * how * logps(model, row["prompt_ids"], row[f"{side}_ids"])
            for sign, side in ((1, "chosen"), (-1, "rejected"))
            for how, model in ((1, left), (-1, start))
        )
        for row in held.train_dataset
    ]
    loss = sum(row["weight"] * math.log1p(math.exp(-one)) for row, one in zip(rows, margins, strict=True)) / 7
    chosen = next(one for one in record.evaluations if one.step == record.chosen)
    assert chosen.loss == pytest.approx(loss, rel=1e-3)
    assert chosen.reward_accuracy == sum(one > 0 for one in margins) / 7
    assert chosen.reward_margin == pytest.approx(sum(margins) / 7, rel=1e-3, abs=1e-4)


def test_held_back_questions_are_answered_and_read(folder: Path, tmp_path: Path) -> None:
    """Beside transformers' own generation, prompt by prompt."""
    from transformers import AutoTokenizer

    from nightschool.training.quiz import Quiz
    from nightschool.training.rows import read_questions

    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()][:9]
    for place, row in enumerate(rows):
        row["prompt"][0]["content"] *= 1 + place % 3
        row |= {"answer": "B" if place < 5 else "A", "kind": "letter"}
        del row["completion"]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    questions = {"file": str(file), "letters": False, "max_tokens": 24}
    evaluate = {**EVERY_2, "metric_for_best_model": "accuracy", "early_stopping_patience": 3}
    record = run(job_of(folder, "sft", "asked", evaluate, questions=questions))
    assert record.chosen == best_of(record, "accuracy").step
    assert best_of(record, "accuracy").accuracy == pytest.approx(5 / 9), "it learns to say B to everything"
    assert record.stopped_early

    job = job_of(folder, "sft", "asking", evaluate, questions=questions, model=str(folder / "base"),
                 adapter=str(folder / "asked"))  # fmt: skip
    trainer, tokenizer = trainer_of(job)
    trainer.model.eval()
    assert job.questions is not None
    quiz = Quiz(read_questions(file), job.questions, tokenizer, frozenset({tokenizer.eos_token_id}))
    plain = AutoTokenizer.from_pretrained(folder / "base")
    for row, (text, finish) in zip(rows, quiz._replies(trainer.model, range(9)), strict=True):
        ids = plain.apply_chat_template(
            row["prompt"], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        said = trainer.model.generate(**ids, do_sample=False, max_new_tokens=24)[0, ids["input_ids"].shape[1] :]
        assert text == plain.decode(said, skip_special_tokens=True)
        assert finish == ("stop" if tokenizer.eos_token_id in said else "length")


@pytest.mark.parametrize("at", [5, 11, 17])
def test_killed_anywhere_it_leaves_the_same_step(folder: Path, whole: Record, at: int) -> None:
    job = job_of(folder, "sft", f"cut{at}")
    killed(job, at)
    again = run(job)
    assert again.resumed_at > 0
    assert (again.evaluations, again.chosen, again.losses) == (whole.evaluations, whole.chosen, whole.losses)
    same(folder, "whole", f"cut{at}")


def test_patience_ends_a_stage_and_outlives_a_kill(folder: Path, whole: Record) -> None:
    evaluate = {**EVERY_2, "early_stopping_patience": 2}
    early = run(job_of(folder, "sft", "early", evaluate))
    best = best_of(early).step
    assert early.stopped_early
    assert (early.chosen, early.steps) == (best, best + 4)
    assert early.evaluations == whole.evaluations[: len(early.evaluations)]
    job = job_of(folder, "sft", "early-cut", evaluate, save_steps=best + 3)
    killed(job, best + 3)
    again = run(job)
    assert again.resumed_at >= best
    assert (again.steps, again.chosen, again.stopped_early) == (early.steps, best, True)
    same(folder, "early", "early-cut")


def test_a_checkpoint_without_its_best_one_is_not_gone_on_from(folder: Path, whole: Record) -> None:
    job = job_of(folder, "sft", "lost", save_steps=1)
    assert whole.chosen is not None
    killed(job, whole.chosen + 5)
    saved = {int(path.parent.name.split("-")[1]) for path in (folder / "lost-saved").glob("*/whole.json")}
    assert whole.chosen in saved
    assert len(saved) in (2, 3), "the best one and two to go on from, unless it was killed as it made room"
    (folder / "lost-saved" / f"checkpoint-{whole.chosen}" / "whole.json").unlink()
    again = run(job)
    assert again.resumed_at == 0
    assert again.chosen == whole.chosen
    same(folder, "whole", "lost")


def test_a_job_that_could_not_keep_its_best_is_refused(folder: Path, tmp_path: Path) -> None:
    job = job_of(folder, "sft", "refused").model_dump()
    for change, says in (
        ({"held": None}, "evaluate and held come together"),
        ({"checkpoints": None}, "no folder for checkpoints"),
        ({"evaluate": {"metric_for_best_model": "reward_margin"}}, "sft has no reward_margin"),
    ):
        (tmp_path / "job.json").write_text(json.dumps({**job, **change}))
        with pytest.raises(DataError, match=says):
            load_job(tmp_path / "job.json")
