"""From rows to token ids, by the one function of the one template that the served model's prompts go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightschool.errors import DataError
from nightschool.training.rows import TrainingRow, Turns


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as token ids; a completion starts with the first token that the served model would generate."""

    prompt_ids: list[int]
    completion_ids: tuple[list[int], ...]

    @property
    def length(self) -> int:
        """Tokens of the prompt with the longest of its completions."""
        return len(self.prompt_ids) + max(len(ids) for ids in self.completion_ids)


def render_rows(
    rows: Sequence[TrainingRow], tokenizer: Any, *, stop_ids: frozenset[int], max_length: int, file: Path
) -> list[Rendered]:
    """Render all rows, and prove that training sees what serving sends.

    The prompt alone, rendered with the generation prompt, is what a server receives. It must be the beginning of the
    whole conversation as it is trained on, token by token; and each completion must hold a token at which serving
    stops, or the model would never learn to end its turn.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        stop_ids: tokens that end generation.
        max_length: tokens; a longer row is refused, never cut.
        file: where the rows came from, row i on line i + 1.

    Raises:
        DataError: the template renders a prompt otherwise inside the conversation (first difference shown), leaves
            the turn open, or a row is too long.
    """
    prompts = _ids(tokenizer, [row.prompt for row in rows], served=True)
    places = [(index, turns) for index, row in enumerate(rows) for turns in row.endings]
    wholes = _ids(tokenizer, [rows[index].prompt + turns for index, turns in places], served=False)
    completions: list[list[list[int]]] = [[] for _ in rows]
    for (index, _), whole in zip(places, wholes, strict=True):
        prompt = prompts[index]
        where = {"file": file, "line": index + 1}
        if whole[: len(prompt)] != prompt:
            raise DataError(f"row {rows[index].id}: {_difference(prompt, whole, tokenizer)}", **where)
        completion = whole[len(prompt) :]
        if stop_ids.isdisjoint(completion):
            end = tokenizer.decode(completion[-3:])
            raise DataError(f"row {rows[index].id}: the template leaves the turn open, it ends in {end!r}", **where)
        if len(whole) > max_length:
            raise DataError(f"row {rows[index].id}: {len(whole)} tokens, max_length is {max_length}", **where)
        completions[index].append(completion)
    return [Rendered(prompt, tuple(ids)) for prompt, ids in zip(prompts, completions, strict=True)]


def _ids(tokenizer: Any, conversations: Sequence[Turns], *, served: bool) -> list[list[int]]:
    return tokenizer.apply_chat_template(
        [[message.model_dump() for message in turns] for turns in conversations],
        add_generation_prompt=served,
        tokenize=True,
        return_dict=False,
    )


def _difference(prompt: list[int], whole: list[int], tokenizer: Any) -> str:
    pairs = zip(prompt, whole, strict=False)
    at = next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(prompt), len(whole)))
    served, trained = tokenizer.decode(prompt[at : at + 5]), tokenizer.decode(whole[at : at + 5])
    return f"the prompt is trained otherwise than served, first at token {at}: {trained!r}, served as {served!r}"
