"""From turns to weights: one thread, counted steps, no clock in any decision."""

import random
from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from nightschool.tinymodels.corpus import Turn
from nightschool.tinymodels.muon import Muon
from nightschool.tinymodels.tokenizer import END

POOL = 16  # batches drawn at once and sorted by length, so that little of a batch is padding


class Encoder:
    """Turns to token ids, exactly as the chat template and AutoTokenizer would have them."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        frame = tokenizer.apply_chat_template(
            [{"role": "user", "content": "\x00"}], tokenize=False, add_generation_prompt=True
        )
        self._head, self._tail = str(frame).split("\x00")

    def prompts(self, users: Iterable[str]) -> list[list[int]]:
        """Ids of user turns, up to where the assistant begins."""
        return self._tokenizer([self._head + user + self._tail for user in users])["input_ids"]

    def encode(self, turns: list[Turn]) -> list[tuple[list[int], int]]:
        """Ids of each turn with the length of its prompt."""
        prompts = self.prompts(turn.user for turn in turns)
        replies = self._tokenizer([turn.reply + END for turn in turns])["input_ids"]
        return [(prompt + reply, len(prompt)) for prompt, reply in zip(prompts, replies, strict=True)]


def batches(turns: Iterator[Turn], encoder: Encoder, *, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Ids and labels (-100 where nothing is to be learned), rows of like length together; for ever."""
    rng = random.Random(seed)
    while True:
        rows = sorted(encoder.encode(list(islice(turns, size * POOL))), key=lambda row: len(row[0]))
        starts = list(range(0, len(rows), size))
        rng.shuffle(starts)
        for start in starts:
            yield _pad(rows[start : start + size])


def _pad(rows: list[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
    width = max(len(ids) for ids, _ in rows)
    ids_B_T = torch.zeros(len(rows), width, dtype=torch.long)
    labels_B_T = torch.full((len(rows), width), -100)
    for row, (ids, prompt) in enumerate(rows):
        ids_B_T[row, : len(ids)] = torch.tensor(ids)
        labels_B_T[row, prompt : len(ids)] = torch.tensor(ids[prompt:])
    return ids_B_T, labels_B_T


def loss_of(model: Qwen2ForCausalLM, ids_B_T: Tensor, labels_B_T: Tensor) -> Tensor:
    """Mean cross entropy over what is to be learned; logits are made there only.

    Rows are padded on the right under a causal mask, so that no attention mask is needed.
    """
    hidden = model.model(input_ids=ids_B_T, use_cache=False).last_hidden_state
    targets = labels_B_T[:, 1:]
    wanted = targets != -100
    return nn.functional.cross_entropy(model.lm_head(hidden[:, :-1][wanted]), targets[wanted])


class Optimiser:
    """Muon for the matrices, Adam for embeddings, norms and biases."""

    def __init__(self, model: Qwen2ForCausalLM, peak: float) -> None:
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
        self._muon, self._adam = Muon(matrices), torch.optim.Adam(others, peak, betas=(0.9, 0.95))
        self._peak = peak

    def step(self, share: float) -> None:
        """Step at a share of the peak rate, then forget the gradients."""
        self._muon.step(self._peak * share)
        self._adam.param_groups[0]["lr"] = self._peak * share
        self._adam.step()
        self._adam.zero_grad()


def rate(step: int, steps: int, *, decay: float, warm: int = 10) -> float:
    """Share of the peak learning rate: linear warm-up, then level, then linear decay over the last part."""
    left = (steps - step) / max(1.0, decay * steps)
    return min(1.0, (step + 1) / warm, left)
