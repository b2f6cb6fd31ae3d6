"""From a random decoder to one that can already look things up.

The look-up of a value among the choices is an induction circuit; from random weights it doesn't form within a million
tokens, from these weights it works after a few steps. Source: "Mimetic Initialization of Self-Attention Layers"
(Trockman and Kolter, 2023), carried over to positions and matches.
"""

import torch
from torch import Tensor, nn
from transformers import Qwen2ForCausalLM

ROPE_THETA = 1e6
OFFSETS = (1, 2, 3, 4)  # how far back the heads of the first layer look
FAR = 5  # and one head of the second
LOGIT_SCALE = 0.05  # embeddings of size one serve as output weights too; this keeps first logits small
POSITION = 5.0  # bias of a positional head: 0.9 of its attention falls on the one place
MATCH = 2.0  # gain of a matching head


def initialise(model: Qwen2ForCausalLM, *, seed: int) -> None:
    """Write positional heads into the first layer and matching heads into the others, in place.

    Slot i holds what stands OFFSETS[i] tokens back, and the last slot what stands FAR back.
    """
    generator = torch.Generator().manual_seed(seed)
    width, heads = model.config.hidden_size, model.config.num_attention_heads
    reads, slots = _frames(width, heads, generator), _frames(width, heads, generator)
    slots += _frames(width, heads, generator)[:1]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                std = 1.0 if "embed" in name else 0.5 * parameter.shape[1] ** -0.5
                parameter.normal_(0.0, std, generator=generator)
        model.model.norm.weight.fill_(LOGIT_SCALE)
        for layer in model.model.layers:
            layer.mlp.down_proj.weight.mul_(0.5)
        first, second, *others = (layer.self_attn for layer in model.model.layers)
        for head, offset in enumerate(OFFSETS):
            _positional(first, head, offset, reads[head], slots[head])
        _positional(second, 0, FAR, reads[0], slots[4])
        for head, kind in ((1, "go on"), (2, "letter"), (3, "ahead")):
            _match(second, head, *_kinds(reads, slots)[kind])
        for attention in others:
            for head, kind in enumerate(("go on", "letter", "ahead", "behind" if attention is others[0] else "far")):
                _match(attention, head, *_kinds(reads, slots)[kind])


def _kinds(reads: list[Tensor], slots: list[Tensor]) -> dict[str, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """What each kind of matching head compares (here, there), and what it fetches from there and where to."""
    return {
        "go on": (reads[0], slots[0], reads[1], reads[1]),  # the word that followed this one before
        "letter": (slots[2], reads[2], slots[1], reads[1]),  # the word before `","answer":"` among the choices
        "far": (slots[4], reads[0], slots[1], reads[1]),  # the same for a word that two digits follow
        "ahead": (reads[3], slots[3], reads[2], reads[2]),  # "Leo is left of Dan": from Leo to Dan
        "behind": (reads[3], reads[3], slots[3], reads[3]),  # "Dan is right of Leo": from Leo to Dan
    }


def _frames(width: int, count: int, generator: torch.Generator) -> list[Tensor]:
    square, _ = torch.linalg.qr(torch.randn(width, width, generator=generator))
    return list(square.reshape(count, width // count, width))


def _positional(attention: nn.Module, head: int, offset: int, read: Tensor, slot: Tensor) -> None:
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


def _match(attention: nn.Module, head: int, query: Tensor, key: Tensor, value: Tensor, write: Tensor) -> None:
    """Attend where `key` reads what `query` reads here, and write what `value` reads there."""
    size = query.shape[0]
    rows = slice(head * size, (head + 1) * size)
    attention.q_proj.weight[rows] = MATCH * query
    attention.k_proj.weight[rows] = MATCH * key
    attention.v_proj.weight[rows] = value
    attention.o_proj.weight[:, rows] = write.T
