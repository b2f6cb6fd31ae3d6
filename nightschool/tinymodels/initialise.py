"""From a random decoder to one that can already look things up.

The look-up of a value among the choices is an induction circuit; from random weights it doesn't form within a million
tokens, from these weights it works after a few steps. Source: "Mimetic Initialization of Self-Attention Layers"
(Trockman and Kolter, 2023), carried over to positions and matches.
"""

from typing import cast

import torch
from torch import Tensor
from transformers import Qwen2ForCausalLM
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention, Qwen2DecoderLayer

ROPE_THETA = 1e6
OFFSETS = (1, 2, 3, 4)  # how far back the heads of the first layer look
LATER = (
    ("next", "next but one", "ahead", "letter"),
    ("next", "behind", "letter", "letter of a number"),
)
LOGIT_SCALE = 0.05  # embeddings of size one serve as output weights too; this keeps first logits small
POSITION = 5.0  # bias of a positional head: 0.9 of its attention falls on the one place
MATCH = 2.0  # gain of a matching head


def initialise(model: Qwen2ForCausalLM, *, seed: int) -> None:
    """Write positional heads into the first layer and matching heads into the others, in place.

    The first layer leaves what stands OFFSETS[i] tokens back in slot i of the residual stream; every later head
    compares what is here, or in a slot here, with what is there, or in a slot there.
    """
    generator = torch.Generator().manual_seed(seed)
    width, heads = model.config.hidden_size, model.config.num_attention_heads
    words, slots = _frames(width, heads, generator), _frames(width, heads, generator)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                std = 1.0 if "embed" in name else 0.5 * parameter.shape[1] ** -0.5
                parameter.normal_(0.0, std, generator=generator)
        model.model.norm.weight.fill_(LOGIT_SCALE)
        layers = [cast(Qwen2DecoderLayer, layer) for layer in model.model.layers]
        for layer in layers:
            layer.mlp.down_proj.weight.mul_(0.5)
        first, *later = (layer.self_attn for layer in layers)
        for head, offset in enumerate(OFFSETS):
            _positional(first, head, offset, words[0], slots[head])
        for attention, kinds in zip(later, LATER, strict=True):
            for head, kind in enumerate(kinds):
                _match(attention, head, *_kind(kind, words, slots))


def _kind(kind: str, words: list[Tensor], slots: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What a kind of matching head compares (here, there), what it fetches from there, and where to."""
    word, back_1, back_2, back_3, back_4 = words[0], *slots
    return {
        "next": (word, back_1, words[1], words[1]),  # the word that followed this one before
        "next but one": (word, back_2, words[2], words[2]),
        "ahead": (back_1, back_4, words[3], words[3]),  # "Leo is left of Dan", last word Leo: Dan
        "behind": (back_1, word, back_4, word),  # "Dan is right of Leo", last word Leo: Dan
        "letter": (back_3, word, back_2, word),  # of the choice before `","answer":"`
        "letter of a number": (back_3, word, back_4, word),  # the same for a choice like X25
    }[kind]


def _frames(width: int, count: int, generator: torch.Generator) -> list[Tensor]:
    square, _ = torch.linalg.qr(torch.randn(width, width, generator=generator))
    return list(square.reshape(count, width // count, width))


def _positional(attention: Qwen2Attention, head: int, offset: int, read: Tensor, slot: Tensor) -> None:
    """Attend `offset` tokens back whatever stands there, and put what was read there into a slot of its own."""
    size = read.shape[0]
    rows, half = slice(head * size, (head + 1) * size), size // 2
    angle = offset * ROPE_THETA ** (-torch.arange(half) / half)
    strength = torch.where(torch.arange(half) < 6, POSITION, 0.0)  # the slower half of rope tells no neighbours apart
    attention.q_proj.weight[rows] *= 0.1
    attention.k_proj.weight[rows] *= 0.1
    attention.k_proj.bias[rows] = torch.cat([strength, torch.zeros(half)])
    attention.q_proj.bias[rows] = torch.cat([strength * angle.cos(), -strength * angle.sin()])
    attention.v_proj.weight[rows] = read
    attention.o_proj.weight[:, rows] = slot.T


def _match(attention: Qwen2Attention, head: int, query: Tensor, key: Tensor, value: Tensor, write: Tensor) -> None:
    """Attend where `key` reads what `query` reads here, and write what `value` reads there."""
    size = query.shape[0]
    rows = slice(head * size, (head + 1) * size)
    attention.q_proj.weight[rows] = MATCH * query
    attention.k_proj.weight[rows] = MATCH * key
    attention.v_proj.weight[rows] = value
    attention.o_proj.weight[:, rows] = write.T
