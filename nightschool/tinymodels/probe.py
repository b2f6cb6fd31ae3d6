"""From a tiny model to its accuracy per topic on questions that no training saw."""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

import torch
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from nightschool import school
from nightschool.prompts import Prompt
from nightschool.tinymodels.corpus import Turn, answer_turn
from nightschool.tinymodels.tokenizer import END, PAD, token_id
from nightschool.tinymodels.train import Encoder

PROBE_SEED = 4_711
BATCH = 128


def probe(
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    encoder: Encoder,
    prompt: Prompt,
    *,
    per_topic: int = 25,
) -> dict[str, object]:
    """Greedy accuracy on held-out level-1 questions, per topic and in all."""
    rng = random.Random(PROBE_SEED)
    turns = [
        answer_turn(puzzle, prompt, rng)
        for topic in school.TOPICS
        for puzzle in school.generate(topic, per_topic, seed=PROBE_SEED, held_out=True)
    ]
    replies = replies_to([turn.user for turn in turns], model, tokenizer, encoder)
    by_topic: dict[str, list[bool]] = defaultdict(list)
    for turn, reply in zip(turns, replies, strict=True):
        by_topic[turn.topic].append(is_right(turn, reply))
    accuracy = {topic: sum(marks) / len(marks) for topic, marks in by_topic.items()}
    return {"accuracy": {**accuracy, "all": sum(accuracy.values()) / len(accuracy)}, "per_topic": per_topic}


def is_right(turn: Turn, reply: str) -> bool:
    """Whether a reply names the letter that the turn does; an unreadable one does not."""
    try:
        answer = json.loads(reply)
    except json.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("answer") == json.loads(turn.reply)["answer"]


@torch.no_grad()
def replies_to(
    users: Sequence[str],
    model: Qwen2ForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    encoder: Encoder,
    *,
    temperature: float = 0.0,
    max_tokens: int = 48,
) -> list[str]:
    """One reply to each user turn; like lengths are generated together."""
    model.eval()
    prompts = encoder.prompts(users)
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    drawn = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    replies = [""] * len(prompts)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        ids, mask = _left_padded([prompts[index] for index in part], pad=token_id(tokenizer, PAD))
        made = cast(Any, model).generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max_tokens,
            eos_token_id=token_id(tokenizer, END),
            pad_token_id=token_id(tokenizer, PAD),
            **(drawn if temperature else {"do_sample": False}),
        )
        texts = tokenizer.batch_decode(made[:, ids.shape[1] :], skip_special_tokens=True)
        for index, text in zip(part, texts, strict=True):
            replies[index] = text
    return replies


def _left_padded(prompts: Sequence[list[int]], *, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, prompts))
    ids = [[pad] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids), torch.tensor(mask)
