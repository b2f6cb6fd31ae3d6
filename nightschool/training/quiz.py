"""Held-back questions put to the weights as they are now: answered in full, and read as a night reads its student."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig

from nightschool.leaks import Asked
from nightschool.rendering import rendered
from nightschool.teaching import right
from nightschool.training.job import Questions

AT_ONCE = 32  # prompts of like length


class Quiz:
    """Questions with their answers, asked greedily, so that a look is the same whenever it is taken.

    No schema holds a reply to its form, as a server's would: a reply that cannot be read is not right.
    """

    def __init__(self, asked: Sequence[Asked], how: Questions, tokenizer: Any, stop_ids: frozenset[int]) -> None:
        self._asked, self._how, self._tokenizer = asked, how, tokenizer
        self._prompts = rendered(tokenizer, [one.prompt for one in asked], opened=True)
        self._config = GenerationConfig(
            do_sample=False,
            use_cache=True,
            max_new_tokens=how.max_tokens,
            eos_token_id=sorted(stop_ids),
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(stop_ids),
        )

    def accuracy(self, trainer: Any) -> float:
        """Share of right answers; of several processes each asks some of the questions."""
        model: Any = trainer.accelerator.unwrap_model(trainer.model)
        args, found = trainer.args, 0
        by_length = sorted(range(len(self._asked)), key=lambda row: (len(self._prompts[row]), row))
        mine = by_length[args.process_index :: args.world_size]
        for start in range(0, len(mine), AT_ONCE):
            rows = mine[start : start + AT_ONCE]
            for row, (text, finish) in zip(rows, self._replies(model, rows), strict=True):
                found += right(self._asked[row], text, finish, letters=self._how.letters, fallback=self._how.fallback)
        summed: Any = trainer.accelerator.reduce(torch.tensor(found, device=args.device), "sum")
        return int(summed) / len(self._asked)

    def _replies(self, model: Any, rows: Sequence[int]) -> Iterator[tuple[str, str]]:
        """Each prompt's reply, and "stop" or "length"."""
        prompts = [self._prompts[row] for row in rows]
        width, pad = max(map(len, prompts)), self._config.pad_token_id
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts], device=model.device)
        real = torch.tensor(
            [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device
        )
        said = model.generate(input_ids=ids, attention_mask=real, generation_config=self._config)
        stops: Any = self._config.eos_token_id
        for tokens in said[:, width:].tolist():
            end = next((place for place, token in enumerate(tokens) if token in stops), None)
            text = self._tokenizer.decode(tokens[:end], skip_special_tokens=True)
            yield text, "length" if end is None else "stop"
