"""Rows end to end in one sequence: whether this model keeps them apart, tried before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch

from nightschool.errors import DataError
from nightschool.training.watched import ROW

# Mean difference of a token's log-probability, in nats: float32 measured 1e-7 on tiny models, and 0.1 where rows mix.
_ALIKE = {torch.float32: 1e-4, torch.bfloat16: 0.05}


def attention() -> dict[str, str]:
    """What attention a model without padding is loaded with.

    FlashAttention goes row by row. Without it transformers masks each row from the others, by positions that begin anew
    (its `find_packed_sequence_indices`): the same result, at a cost that grows with the square of all rows' tokens.
    """
    fast = torch.cuda.is_available() and find_spec("flash_attn") is not None
    return {"attn_implementation": "flash_attention_2"} if fast else {}


def check_apart(trainer: Any) -> None:
    """See that two rows in one sequence are to the model what each is alone.

    A trainer whose weights are shared out is not asked: none of its processes has a whole model.

    Raises:
        DataError: they read each other, as under TRL's packing strategy "wrapped", or under any without a mask.
    """
    rows = list(trainer.train_dataset.select(range(min(2, len(trainer.train_dataset)))))
    if len(rows) < 2 or trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        return
    together, alone = _log_probs(trainer, rows), torch.cat([_log_probs(trainer, [row]) for row in rows])
    apart = float((together - alone).abs().mean())
    if not apart <= _ALIKE.get(trainer.model.dtype, 0.05):
        raise DataError(
            f"padding_free: rows in one sequence read each other under this model's attention (a token's "
            f"log-probability moves by {apart:.3g} nats on average): padding_free: false trains it right"
        )


def _log_probs(trainer: Any, rows: Sequence[dict[str, Any]]) -> torch.Tensor:
    """Of every learned token, in order."""
    model, batch = trainer.model, trainer.data_collator(list(rows))
    batch.pop(ROW)
    inputs = {name: part.to(model.device) if torch.is_tensor(part) else part for name, part in batch.items()}
    trained = model.training
    model.eval()
    with torch.no_grad(), trainer.compute_loss_context_manager():
        found = model(**inputs, use_cache=False, fused_lm_head=True)
    model.train(trained)
    return found.log_probs[found.label_mask.bool()].float()
