"""A Qwen2 that says yes or no with known probabilities: each token follows from the one before it and no other."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

from tests.integration.random_qwen2 import make

# The logit of a token that may follow another; all others have 0, and share what is left.
_LOGITS = {("\n", "y"): 20.0, ("\n", "n"): 19.0, ("y", "e"): 20.0, ("e", "s"): 20.0, ("n", "o"): 20.0,
           ("s", "<|im_end|>"): 20.0, ("o", "<|im_end|>"): 20.0}  # fmt: skip
# What it does besides passing an embedding on.
_REST = ("model.layers.0.self_attn.o_proj.weight", "model.layers.0.mlp.down_proj.weight")
_HIDDEN, _VOCAB = 128, 600


def make_sure(folder: Path) -> Path:
    """Writes the model. Its one layer adds nothing to a token's embedding, which is a place of its own."""
    make(folder, hidden=_HIDDEN, layers=1, vocab=_VOCAB)
    ids = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids
    config = Qwen2Config.from_pretrained(folder)
    config.tie_word_embeddings = False
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        embedded, head = (model.get_parameter(f"{name}.weight") for name in ("model.embed_tokens", "lm_head"))
        for weights in (embedded, head, *map(model.get_parameter, _REST)):
            weights.zero_()
        for place, before in enumerate(dict.fromkeys(before for before, _ in _LOGITS)):
            embedded[ids(_byte(before)), place] = 1.0
            for (one, after), logit in _LOGITS.items():
                if one == before:
                    # The norm before the head makes a place of length 1 one of length sqrt(hidden).
                    head[ids(_byte(after)), place] = logit / math.sqrt(_HIDDEN)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2, "pad_token_id": 0}))
    return folder


def confidence(text: str) -> float:
    """The geometric mean of the probabilities of a text's tokens and of its end."""
    tokens = ["\n", *text, "<|im_end|>"]
    return math.exp(sum(_logprob(*pair) for pair in pairwise(tokens)) / (len(tokens) - 1))


def _logprob(before: str, after: str) -> float:
    logits = {one: logit for (first, one), logit in _LOGITS.items() if first == before}
    total = sum(map(math.exp, logits.values())) + _VOCAB - len(logits)
    return logits[after] - math.log(total)


def _byte(token: str) -> str:
    return "\u010a" if token == "\n" else token  # as byte-level BPE writes it
