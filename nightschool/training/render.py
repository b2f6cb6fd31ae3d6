"""From rows to token ids, by the one function of the one template that the served model's prompts go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nightschool.errors import DataError
from nightschool.rendering import Probe, Probes, difference, every, rendered, tokens_of
from nightschool.training.rows import TrainingRow


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
    prompts = rendered(tokenizer, [row.prompt for row in rows], opened=True)
    places = [(index, turns) for index, row in enumerate(rows) for turns in row.endings]
    wholes = rendered(tokenizer, [rows[index].prompt + turns for index, turns in places], opened=False)
    completions: list[list[list[int]]] = [[] for _ in rows]
    for (index, _), whole in zip(places, wholes, strict=True):
        prompt = prompts[index]
        where = {"file": file, "line": index + 1}
        if whole[: len(prompt)] != prompt:
            served, trained = tokens_of("served", prompt, tokenizer), tokens_of("trained", whole, tokenizer)
            raise DataError(f"row {rows[index].id}: in the prompt, {difference(trained, served)}", **where)
        completion = whole[len(prompt) :]
        if stop_ids.isdisjoint(completion):
            end = tokenizer.decode(completion[-3:])
            raise DataError(f"row {rows[index].id}: the template leaves the turn open, it ends in {end!r}", **where)
        if len(whole) > max_length:
            raise DataError(f"row {rows[index].id}: {len(whole)} tokens, max_length is {max_length}", **where)
        completions[index].append(completion)
    return [Rendered(prompt, tuple(ids)) for prompt, ids in zip(prompts, completions, strict=True)]


def probes_of(rows: Sequence[TrainingRow], found: Sequence[Rendered], tokenizer: Any) -> Probes:
    """Some prompts as they were trained on, for whoever serves the model to compare with."""
    return Probes(
        probes=tuple(
            Probe(
                id=rows[place].id,
                messages=rows[place].prompt,
                ids=tuple(found[place].prompt_ids),
                pieces=tuple(tokens_of("trained", found[place].prompt_ids, tokenizer).pieces),
            )
            for place in every(len(rows))
        )
    )
