"""TRL's trainers, fed with rows that are token ids already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from nightschool.training.checkpoints import KEPT
from nightschool.training.explosion import Explosion
from nightschool.training.job import Job
from nightschool.training.launch import launched
from nightschool.training.models import Place, load_base, lora_config
from nightschool.training.preference import Dpo
from nightschool.training.reference import References
from nightschool.training.render import Rendered
from nightschool.training.rows import DpoRow
from nightschool.training.watched import ROW, Watched

IGNORED = -100  # label of a token that is not learned


class Sft(Watched, SFTTrainer):
    """SFT on prompt and completion, loss on the completion; each row's multiplied with its weight."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return super().compute_loss(self._weighing(model) if self.weighted else model, inputs, *args, **kwargs)

    def leave_out(self, batch: dict[str, Any], real: int) -> None:
        if self.padding_free:
            batch["labels"][_row_of_token(batch) >= real] = IGNORED
        else:
            batch["labels"][real:] = IGNORED

    def sums(self, model: Any, inputs: dict[str, Any], weights_B: Tensor) -> Tensor:
        found = model(**inputs, use_cache=False, fused_lm_head=True)
        weights = self._of_tokens(weights_B, inputs, found.log_probs)
        counted = weights > 0
        parts = (-found.log_probs * weights, found.label_mask * counted, found.is_top1 * counted)
        return torch.stack([part.double().sum() for part in parts])

    def figures(self, sums: Tensor) -> dict[str, Any]:
        loss, tokens, right = sums
        return {"loss": loss / tokens, "mean_token_accuracy": right / tokens}

    def _of_tokens(self, weights_B: Tensor, inputs: dict[str, Any], like: Tensor) -> Tensor:
        """The weight of each token's row, in a shape that goes with `like`."""
        # Without padding all rows are one: each token has its row's weight.
        each = weights_B[_row_of_token(inputs)] if self.padding_free else weights_B[:, None]
        return each[:, -like.shape[1] :]

    def _weighing(self, model: Any) -> Any:
        """TRL sums the log-probabilities that a model gives: what is weighed there is weighed in the loss."""

        def forward(**inputs: Any) -> Any:
            found = model(**inputs)
            weights = self._of_tokens(self.weights_of_batch(found.log_probs), inputs, found.log_probs)
            found.log_probs = found.log_probs * weights
            return found

        return forward


def _row_of_token(inputs: dict[str, Any]) -> Any:
    """Of a batch without padding, which of its rows each token is of: positions begin anew with each."""
    return (inputs["position_ids"] == 0).cumsum(dim=-1) - 1


def build_trainer(
    job: Job,
    *,
    model: Any,
    tokenizer: Any,
    rendered: Sequence[Rendered],
    place: Place,
    folder: str,
    held: Sequence[Rendered] = (),
) -> Sft | Dpo:
    """Make the trainer of a job's stage.

    The reference of dpo is the model as it is given here, unless the job names one: with an adapter TRL keeps a frozen
    copy of it under the name "ref", with a new adapter it switches that one off, without any it loads the base a second
    time.

    Args:
        model: base, or PeftModel when the job goes on with an adapter.
        rendered, held: rows to train on, and those to look at on the way if the job does; in file order.
        folder: where TRL may write; nothing of it is kept.

    Raises:
        DataError: LoRA names modules that the model does not have.
    """
    peft_config = lora_config(job.lora, model) if job.lora and not isinstance(model, PeftModel) else None
    dataset = sft_dataset if job.stage == "sft" else dpo_dataset
    common: dict[str, Any] = {"model": model, "processing_class": tokenizer, "peft_config": peft_config}
    common |= {"train_dataset": dataset(rendered), "eval_dataset": dataset(held) if held else None}
    settings = _settings(job, place, folder)
    if job.stage == "sft":
        prepared = {"completion_only_loss": True, "dataset_kwargs": {"skip_prepare_dataset": True}}
        trainer = Sft(args=SFTConfig(**settings, **prepared, padding_free=job.padding_free), **common)
    else:
        kept = References(Path(job.references) if job.references else None, f"{place.device} {place.dtype}")
        common |= {"references": kept, **_reference(job, model, place)}
        trainer = Dpo(args=_dpo_config(job, settings), **common)
        pairs = (one.row for one in rendered)
        trainer.plan(job, {pair.id: pair.disagreement for pair in pairs if isinstance(pair, DpoRow)})
    trainer.watch([one.row for one in rendered], [one.line for one in rendered], job.rows, Explosion(job.explode_ratio))
    return trainer


def _reference(job: Job, model: Any, place: Place) -> dict[str, Any]:
    """What the trainer is told of a reference that is not what the policy begins with."""
    if job.reference is None:
        return {}
    if not isinstance(model, PeftModel):
        return {} if job.reference == job.model else {"ref_model": load_base(job.reference, place.weights, job)}

    def hold_to(policy: PeftModel) -> None:
        policy.delete_adapter("ref")  # without one, TRL switches adapters off
        if job.reference != job.model:
            policy.load_adapter(str(job.reference), "ref", is_trainable=False)

    return {"hold_to": hold_to}


def sft_dataset(rendered: Sequence[Rendered]) -> Dataset:
    """Columns of TRL's SFT collator: the prompt is read, the completion is learned."""
    return Dataset.from_list(
        [
            {
                "input_ids": row.prompt_ids + row.completion_ids[0],
                "labels": [IGNORED] * len(row.prompt_ids) + row.completion_ids[0],
                ROW: index,
            }
            for index, row in enumerate(rendered)
        ]
    )


def dpo_dataset(rendered: Sequence[Rendered]) -> Dataset:
    """Columns of TRL's preference collator."""
    return Dataset.from_list(
        [
            {
                "prompt_ids": row.prompt_ids,
                "chosen_ids": row.completion_ids[0],
                "rejected_ids": row.completion_ids[1],
                ROW: index,
            }
            for index, row in enumerate(rendered)
        ]
    )


def _dpo_config(job: Job, settings: dict[str, Any]) -> DPOConfig:
    return DPOConfig(
        **settings,
        beta=job.beta,
        loss_type=list(job.loss),
        loss_weights=list(job.loss_weights) if job.loss_weights else None,
        label_smoothing=job.label_smoothing,
        # one pass over the rows for the reference, instead of one an epoch and one for each look
        precompute_ref_log_probs=job.epochs > 1 or job.evaluate is not None,
    )


def _sharing(job: Job, place: Place) -> dict[str, Any]:
    """What several processes share, and how they talk."""
    shared: dict[str, Any] = {"ddp_find_unused_parameters": False} if job.launcher == "ddp" and launched() else {}
    if place.device == "cpu" and launched():
        shared["ddp_backend"] = "gloo"
    if job.launcher == "fsdp" and launched():
        shared |= {"fsdp": True, "fsdp_config": {"version": 2, "state_dict_type": "FULL_STATE_DICT"}}
    if job.launcher == "deepspeed":
        shared["deepspeed"] = {
            # Without the second, no process has the weights to write at the end.
            "zero_optimization": {"stage": 2 if job.lora else 3, "stage3_gather_16bit_weights_on_model_save": True},
            "bf16": {"enabled": place.bf16},
            "train_micro_batch_size_per_gpu": "auto",
            "gradient_accumulation_steps": "auto",
            "gradient_clipping": "auto",
        }
    return shared


def _settings(job: Job, place: Place, folder: str) -> dict[str, Any]:
    return {
        "output_dir": folder,
        "seed": job.seed,
        "num_train_epochs": job.epochs,
        "learning_rate": job.learning_rate,
        "per_device_train_batch_size": place.layout.micro,
        "gradient_accumulation_steps": place.layout.accumulation,
        "warmup_steps": job.warmup_share,  # below 1 it is a share of all steps
        "lr_scheduler_type": "constant_with_warmup" if job.scheduler == "constant" else job.scheduler,
        "weight_decay": job.weight_decay,
        "max_grad_norm": job.max_grad_norm,
        "max_length": None,  # longer rows were refused: TRL would cut them
        **({"optim": "adamw_bnb_8bit"} if job.optimizer == "adamw_8bit" else {}),
        "use_liger_kernel": job.liger,
        "gradient_checkpointing": job.gradient_checkpointing,
        "bf16": place.bf16,
        # Told to use the CPU, transformers 5.19 leaves deepspeed out; where there is no GPU it finds that by itself.
        "use_cpu": place.device == "cpu" and job.launcher != "deepspeed",
        "dataloader_pin_memory": place.device != "cpu",
        "remove_unused_columns": False,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # a callback says when
        "save_total_limit": KEPT + (job.evaluate is not None and job.evaluate.load_best_model_at_end),
        "report_to": "none",
        **_sharing(job, place),
        "disable_tqdm": True,
    }
