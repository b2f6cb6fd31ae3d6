"""TRL's DPO trainer with losses by schedule: which pairs count, and how, from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from datasets import Dataset, concatenate_datasets
from torch import Tensor
from torch.nn.functional import logsigmoid
from trl.trainer.dpo_trainer import DPOTrainer

from nightschool.doubts import most_doubted
from nightschool.recipe.preference import Preference, Scheduled
from nightschool.training.losses import preference_loss
from nightschool.training.reference import References
from nightschool.training.watched import ROW, Watched

# Of the running mean of log-gaps, for cal: center.
_DECAY = 0.9


class Dpo(Watched, DPOTrainer):
    """DPO (arXiv 2305.18290) on rows that need no preparation.

    `dropped` names the pairs at weight zero, by epoch from 0; `centre` is the running mean of log-gaps.

    Args:
        model: a PeftModel has its adapter as it stands for a reference, or what `hold_to` makes of that.
        hold_to: called with a PeftModel once TRL has given it the adapter "ref".
        references: what was computed before of the reference's log-probabilities.
    """

    def __init__(
        self, *, model: Any, references: References, hold_to: Callable[[Any], None] | None = None, **parts: Any
    ) -> None:
        self._hold_to = (lambda: hold_to(model)) if hold_to else lambda: None
        self.references = references
        super().__init__(model=model, **parts)

    def plan(self, scheduled: Scheduled, votes: Mapping[str, float]) -> None:
        """Say what is trained: called once, before training.

        Args:
            votes: by pair, the share of teachers who voted against its chosen side.
        """
        self._scheduled, self._votes = scheduled, votes
        self.centre: float | None = None
        self.dropped: dict[int, list[str]] = {}
        self._set_signature_columns_if_needed()

    def keep(self) -> dict[str, Any]:
        return {**super().keep(), "centre": self.centre, "dropped": self.dropped}

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore(kept)
        self.centre = kept["centre"]
        self.dropped = {int(epoch): names for epoch, names in kept["dropped"].items()}

    @property
    def how(self) -> Preference:
        """What holds now. The epoch of a state is a sum of shares, so that 2 may stand there as 1.9999999."""
        return self._scheduled.at(self._epoch)

    @property
    def _epoch(self) -> int:
        return math.floor((self.state.epoch or 0.0) + 1e-6)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        if self.how.robust in ("drop", "both") and self._epoch not in self.dropped:
            votes = self._votes if self.how.drop_by == "committee" else None
            self.dropped[self._epoch] = most_doubted(self._gaps(), self.how.drop_share, votes)
        if not self._at:
            self._counted = self._count()
        return super().training_step(model, inputs, *args, **kwargs)

    def _count(self) -> int:
        """Rows of the step that count, over all processes."""
        if self._epoch not in self.dropped:
            return self.rows_of_step
        mine = torch.tensor(sum(self._counts(row) for row in self.rows_here), device=self.args.device)
        found: Any = self.accelerator.reduce(mine, "sum")
        return int(found)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """transformers 5.19 sees the reference's folder in a checkpoint and then loads that alone (measured: a resumed
        dpo began again at its first step's weights); the adapter that learns lies beside it."""
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        learner: Any = model or self.model
        if "ref" in getattr(learner, "peft_config", {}):
            learner.load_adapter(resume_from_checkpoint, "default", is_trainable=True)
            learner.set_adapter("default")

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        """Rows are ready. TRL comes by here when the model is whole and before anything is computed with it: its
        reference is what the policy begins with, also where the recipe names another (measured, TRL 1.16)."""
        hold_to, self._hold_to = self._hold_to, lambda: None  # once: it comes by again for held-back rows
        hold_to()
        return dataset

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        """TRL's own pass, unless an earlier run of the same model and rows has made it.

        TRL 1.16 writes in the first process and reads in all, each in a temporary folder of its own (measured:
        FileNotFoundError); here all look where the first one writes.
        """
        model = str(self._precompute_model_hash)
        found = [self.references.read(model, dataset), str(Path(dataset._get_cache_file_path("")).parent)]
        broadcast_object_list(found, from_process=0)
        kept, there = found
        if kept:
            return concatenate_datasets([dataset, Dataset.from_dict(kept)], axis=1)
        dataset._get_cache_file_path = lambda fingerprint: f"{there}/cache-{fingerprint}.arrow"
        computed = super()._precompute_ref_logps(dataset, name, batch_size)
        if self.accelerator.is_main_process:
            self.references.write(model, computed)
        return computed

    @property
    def under(self) -> str:
        return self.how.model_dump_json()

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        how = self.how
        self.beta = how.beta
        # accelerate fills an epoch's last step up with rows that came already; TRL has no weights to leave them out
        filled = self.args.world_size > 1 and self.rows_of_step < self.rows_per_step
        if how.plain and not ((self.weighted or filled) and how.weighs):
            return self._shared(
                super()._compute_loss(model, inputs, return_outputs), len(self._rows) * self.args.world_size
            )
        chosen_B, rejected_B = self._ratios(model, inputs)
        weights_B = self._weights(chosen_B)
        gap_B = chosen_B - rejected_B
        centre = self._centred(how, gap_B)
        loss = preference_loss(chosen_B, rejected_B, weights_B, how, centre=centre, gather=self._gather)
        self._note(inputs, how, gap_B)
        return self._shared(loss, int((self._gather(weights_B) > 0).sum()))

    def sums(self, model: Any, inputs: dict[str, Any], weights_B: Tensor) -> Tensor:
        chosen_B, rejected_B = self._ratios(model, inputs)
        margin_B, kept_B = self._scheduled.beta * (chosen_B - rejected_B), weights_B > 0
        parts = (-logsigmoid(margin_B) * weights_B, kept_B, (margin_B > 0) * kept_B, margin_B * kept_B)
        return torch.stack([part.double().sum() for part in parts])

    def figures(self, sums: Tensor) -> dict[str, Any]:
        """The loss is DPO's own under the stage's beta, whatever is trained: values of all epochs compare."""
        loss, pairs, right, margin = sums
        return {"loss": loss / pairs, "reward_accuracy": right / pairs, "reward_margin": margin / pairs}

    def _shared(self, loss: Tensor, rows: int) -> Tensor:
        """The mean over `rows` rows of all processes as its part in the mean over all rows of the step that count.

        Trainer divides by the batches of a step as if all were of one size.
        """
        model: Any = self.model
        if not model.training:
            return loss
        return loss * (rows * self.current_gradient_accumulation_steps / max(1, self._counted))

    def _gather(self, values_B: Tensor) -> Tensor:
        found: Any = self.accelerator.gather(values_B)
        return found

    def _own(self, values_B: Tensor) -> Tensor:
        """From all processes, of rows that do not only fill a batch."""
        real_B = torch.tensor([row >= 0 for row in self._rows], device=values_B.device)
        return self._gather(values_B)[self._gather(real_B)]

    def _ratios(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """log pi - log pi_ref of both sides, summed over their completions."""
        named = {name: value for name, value in inputs.items() if name in ("input_ids", "attention_mask")}
        labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
        found = model(**named, use_cache=False, labels=labels, fused_lm_head=True).log_probs
        chosen_B, rejected_B = found.sum(dim=1).chunk(2, dim=0)
        if "ref_chosen_logps" in inputs:
            reference = inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]
        else:
            reference = self.compute_ref_log_probs(self.ref_model or self.model, inputs)
        return chosen_B - reference[0], rejected_B - reference[1]

    def _weights(self, like_B: Tensor) -> Tensor:
        kept = [self._counts(row) for row in self._rows]
        return self.weights_of_batch(like_B) * torch.tensor(kept, device=like_B.device)

    def _counts(self, row: int) -> bool:
        return row >= 0 and self.ids[row] not in self.dropped.get(self._epoch, ())

    def _centred(self, how: Preference, gap_B: Tensor) -> float:
        """The running mean of gaps, over all processes and with this batch in it."""
        if how.cal != "center":
            return 0.0
        mean = self._own(gap_B.detach()).mean().item()
        self.centre = mean if self.centre is None else _DECAY * self.centre + (1 - _DECAY) * mean
        return self.centre

    def _gaps(self) -> dict[str, float]:
        """The log-gap of every pair under the policy as it is now, without dropout."""
        model: Any = self.model
        model.eval()
        found: dict[str, float] = {}
        with torch.no_grad(), self.accelerator.autocast():
            pairs: Any = self.train_dataset
            for inputs in self.get_test_dataloader(pairs):
                rows_B = _gathered(self, inputs.pop(ROW))
                chosen_B, rejected_B = self._ratios(model, inputs)
                gaps_B = _gathered(self, chosen_B - rejected_B)
                for row, gap in zip(rows_B.tolist(), gaps_B.tolist(), strict=True):
                    found[str(self.ids[row])] = gap
        model.train()
        return found

    def _note(self, inputs: dict[str, Any], how: Preference, gap_B: Tensor) -> None:
        """The figures of a step under TRL's names, as far as they are the same thing."""
        metrics = self._metrics["train" if gap_B.requires_grad else "eval"]
        self._total_train_tokens += int(self._gather(inputs["attention_mask"].sum()).sum())
        metrics["num_tokens"] = [self._total_train_tokens]
        margins_B = how.beta * self._own(gap_B.detach())
        metrics["rewards/margins"].append(margins_B.mean().item())
        metrics["rewards/accuracies"].append((margins_B > 0).float().mean().item())


def _gathered(trainer: Dpo, values_B: Tensor) -> Tensor:
    """From all processes, without what only fills the last batch."""
    found: Any = trainer.accelerator.gather_for_metrics(values_B)
    return found
