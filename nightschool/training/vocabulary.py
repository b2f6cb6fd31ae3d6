"""New tokens for a model: names in its tokenizer, and rows that begin as what the names were spelt with before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tokenizers import AddedToken

from nightschool.errors import DataError


def spell(tokenizer: Any, tokens: Sequence[str]) -> list[list[int]]:
    """Token ids that each text is made of, before it is a token."""
    return [tokenizer.encode(token, add_special_tokens=False) for token in tokens]


def add_tokens(tokenizer: Any, tokens: Sequence[str]) -> list[int]:
    """Make each text one token wherever it stands; the new ids.

    Raises:
        DataError: one is in the vocabulary already, so that its row means something else.
    """
    known = tokenizer.get_vocab()
    if taken := [token for token in tokens if token in known]:
        raise DataError(f"roles: {', '.join(taken)} is a token of this model already: choose other marks")
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in tokens])
    return [tokenizer.get_vocab()[token] for token in tokens]


def give_rows(model: Any, tokenizer: Any, ids: Sequence[int], spelt: Sequence[Sequence[int]]) -> None:
    """Rows for new tokens, each the mean of what spelt it: a step can tell two marks apart at once.

    Many a vocabulary is padded (Qwen2.5: 151,936 rows for 151,665 tokens): it is made larger where it is too small, and
    never smaller, which would cut it to another shape than its servers and adapters know.
    """
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    rows = [inputs.weight] if outputs is None or outputs.weight is inputs.weight else [inputs.weight, outputs.weight]
    with torch.no_grad():
        for weight in rows:
            for token, pieces in zip(ids, spelt, strict=True):
                weight[token] = weight[list(pieces)].float().mean(dim=0).to(weight.dtype)
