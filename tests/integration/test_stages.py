"""Stages that build on one another: dpo is held to the model that was named, however the stages are chained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from tests.integration import tiny_training
from tests.integration.test_resume import killed
from tests.integration.tiny_training import load_adapter, logps, make_job, run, trainer_of, weights

pytestmark = [pytest.mark.integration, pytest.mark.slow]
text_only = pytest.fixture(scope="module", autouse=True)(tiny_training.text_only)
FULL: dict[str, Any] = {"lora": None, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, an sft stage on it, a dpo stage on that, and one of each with all weights trained."""
    root = tiny_training.write_school(tmp_path_factory.mktemp("stages"))
    run(make_job(root, "sft", output=str(root / "sft")))
    run(make_job(root, "dpo", adapter=str(root / "sft"), output=str(root / "dpo")))
    run(make_job(root, "sft", output=str(root / "whole"), **FULL))
    return root


def reference_of(folder: Path, **fields: Any) -> tuple[list[float], Any]:
    """What dpo holds each completion to, chosen ones before rejected ones; and the rows."""
    trainer, _ = trainer_of(make_job(folder, "dpo", **fields))
    rows = list(trainer.train_dataset)
    if "ref_chosen_logps" in trainer.train_dataset.column_names:
        return [row[f"ref_{side}_logps"] for side in ("chosen", "rejected") for row in rows], rows
    batch = trainer.data_collator(rows)
    batch.pop("row")
    chosen, rejected = trainer.compute_ref_log_probs(trainer.ref_model or trainer.model, batch)
    return [*chosen.tolist(), *rejected.tolist()], rows


def wanted(model: Any, rows: Any) -> list[float]:
    return [logps(model, row["prompt_ids"], row[f"{side}_ids"]) for side in ("chosen", "rejected") for row in rows]


@pytest.mark.parametrize("epochs", [1, 2], ids=["each step", "computed once"])
@pytest.mark.parametrize(
    ("start", "reference", "expected"),
    [("dpo", None, "dpo"), ("dpo", "sft", "sft"), ("dpo", "base", "base"), (None, "sft", "sft"), (None, None, "base")],
)
def test_the_reference_is_the_model_that_is_named(
    folder: Path, start: str | None, reference: str | None, expected: str, epochs: int
) -> None:
    from transformers import AutoModelForCausalLM

    given = {"adapter": start and str(folder / start), "reference": reference and str(folder / reference)}
    found, rows = reference_of(folder, epochs=epochs, **given)
    model = (
        AutoModelForCausalLM.from_pretrained(folder / "base").eval()
        if expected == "base"
        else load_adapter(folder / "base", folder / expected)
    )
    assert found == pytest.approx(wanted(model, rows), abs=1e-3)


@pytest.mark.parametrize("epochs", [1, 2], ids=["each step", "computed once"])
def test_whole_weights_are_held_to_a_whole_model(folder: Path, epochs: int) -> None:
    from transformers import AutoModelForCausalLM

    for reference, expected in ((None, "whole"), ("base", "base")):
        given = {"model": str(folder / "whole"), "reference": reference and str(folder / reference)}
        found, rows = reference_of(folder, epochs=epochs, **given, **FULL)
        model = AutoModelForCausalLM.from_pretrained(folder / expected).eval()
        assert found == pytest.approx(wanted(model, rows), abs=1e-3)
    given = {
        "model": str(folder / "whole"),
        "reference": str(folder / "base"),
        "output": str(folder / f"held-{epochs}"),
    }
    record = run(make_job(folder, "dpo", epochs=epochs, cal="center", **given, **FULL))
    assert record.initial.reward_margin is not None
    assert record.initial.reward_margin > 0, "our own losses are held to it as well"


def test_a_chain_goes_on_from_where_the_stage_before_ended(folder: Path) -> None:
    job = make_job(
        folder, "dpo", adapter=str(folder / "dpo"), reference=str(folder / "sft"), output=str(folder / "chained")
    )
    record = run(job)
    assert record.initial.reward_margin is not None
    assert record.initial.reward_margin > 0, "the first step is ahead of the reference already"
    assert (folder / "chained" / "adapter_model.safetensors").is_file()
    assert not (folder / "chained" / "ref").exists()


@pytest.mark.parametrize("reference", ["sft", "base"])
def test_a_chain_that_was_killed_is_held_to_the_same_model(folder: Path, reference: str) -> None:
    fields: dict[str, Any] = {
        "adapter": str(folder / "dpo"), "reference": str(folder / reference), "epochs": 2, "cal": "center",
        "save_steps": 2, "lora": {"r": 8, "alpha": 32},
    }  # fmt: skip
    names = [f"{kind}-{reference}" for kind in ("alive", "dead")]
    run(make_job(folder, "dpo", **fields, output=str(folder / names[0])))
    job = make_job(
        folder, "dpo", **fields, output=str(folder / names[1]), checkpoints=str(folder / f"{names[1]}-saved")
    )
    killed(job, 5)
    assert run(job).resumed_at > 0
    one, other = (weights(folder / name / "adapter_model.safetensors") for name in names)
    assert all(one[name].equal(other[name]) for name in one)


def test_modules_that_are_not_there_are_refused_with_those_that_are(folder: Path) -> None:
    lora = {"r": 4, "target_modules": ["q_proj", "query", "lm_head"]}
    with pytest.raises(DataError, match=r"no query, lm_head to adapt; it has all-linear, down_proj, .*v_proj$"):
        run(make_job(folder, "sft", lora=lora, output=str(folder / "never")))


@pytest.mark.parametrize("kind", [{"dora": True}, {"rslora": True}, {"target_modules": "q_proj"}])
def test_kinds_of_adapters_are_trained_and_gone_on_with(folder: Path, kind: dict[str, Any]) -> None:
    from peft import PeftConfig

    lora, out = {"r": 4, "alpha": 16, **kind}, folder / "-".join(kind)
    run(make_job(folder, "sft", lora=lora, output=str(out)))
    saved: Any = PeftConfig.from_pretrained(str(out))
    assert saved.use_dora == kind.get("dora", False)
    assert saved.use_rslora == kind.get("rslora", False)
    if "target_modules" in kind:
        assert set(saved.target_modules) == {"q_proj"}
    found, rows = reference_of(folder, lora=lora, adapter=str(out))
    assert found == pytest.approx(wanted(load_adapter(folder / "base", out), rows), abs=1e-3)
