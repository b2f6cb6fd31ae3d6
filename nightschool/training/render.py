"""From rows to token ids, by the one function of the one template that the served model's prompts go through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nightschool.errors import DataError
from nightschool.leaks import Asked
from nightschool.recipe.learning import TooLong
from nightschool.rendering import Probe, Probes, difference, every, rendered, tokens_of
from nightschool.training.record import Prompts
from nightschool.training.rows import TrainingRow


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as token ids; a completion starts with the first token that the served model would generate.

    `line` is where the row stands in its file.
    """

    row: TrainingRow
    line: int
    prompt_ids: list[int]
    completion_ids: tuple[list[int], ...]

    @property
    def length(self) -> int:
        """Tokens of the prompt with the longest of its completions."""
        return len(self.prompt_ids) + max(len(ids) for ids in self.completion_ids)

    def cut(self, length: int) -> Rendered:
        """The row with no more tokens than this, cut at the end of what is learned."""
        return replace(self, completion_ids=tuple(ids[: length - len(self.prompt_ids)] for ids in self.completion_ids))


def render_rows(rows: Sequence[TrainingRow], tokenizer: Any, *, stop_ids: frozenset[int], file: Path) -> list[Rendered]:
    """Render all rows, and prove that training sees what serving sends.

    The prompt alone, rendered with the generation prompt, is what a server receives. It must be the beginning of the
    whole conversation as it is trained on, token by token; and each completion must hold a token at which serving
    stops, or the model would never learn to end its turn.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        stop_ids: tokens that end generation.
        file: where the rows came from, row i on line i + 1.

    Raises:
        DataError: the template renders a prompt otherwise inside the conversation (first difference shown), or leaves
            the turn open.
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
        completions[index].append(completion)
    parts = zip(rows, prompts, completions, strict=True)
    return [Rendered(row, line, prompt, tuple(ids)) for line, (row, prompt, ids) in enumerate(parts, start=1)]


def check_asked(found: Sequence[Rendered], asked: Sequence[Asked], tokenizer: Any, *, file: Path) -> None:
    """That what is asked later is, token by token, what was trained on.

    Args:
        asked: of each row, in the same order.

    Raises:
        DataError: it is not; the first difference is shown.

    Source: plan 002, which trained on one format and measured another.
    """
    others = [(one, later) for one, later in zip(found, asked, strict=True) if one.row.prompt != later.prompt]
    for (one, _), ids in zip(
        others, rendered(tokenizer, [later.prompt for _, later in others], opened=True), strict=True
    ):
        trained, measured = tokens_of("trained", one.prompt_ids, tokenizer), tokens_of("asked later", ids, tokenizer)
        if parted := difference(trained, measured):
            raise DataError(f"row {one.row.id}: in the prompt, {parted}", file=file, line=one.line)


def fit(found: Sequence[Rendered], *, max_length: int, too_long: TooLong, file: Path) -> tuple[list[Rendered], Prompts]:
    """The rows that are trained on, and what became of those that are longer than the context.

    A row whose prompt alone fills the context has nothing left to learn: it is dropped where others are cut.

    Raises:
        DataError: rows are too long and are to be refused, or none is left.
    """
    long = [one for one in found if one.length > max_length]
    if long and too_long == "refuse":
        one = max(long, key=lambda row: row.length)
        raise DataError(
            f"{len(long):,} of {len(found):,} rows are longer than max_length {max_length}, the longest is row "
            f"{one.row.id} with {one.length} tokens; raise max_length, or say too_long: drop or truncate",
            file=file, line=one.line,
        )  # fmt: skip
    cut = [one for one in long if too_long == "truncate" and len(one.prompt_ids) < max_length]
    out = {id(one) for one in long} - {id(one) for one in cut}
    kept = [one.cut(max_length) for one in found if id(one) not in out]
    if not kept:
        raise DataError(f"all {len(found):,} rows are longer than max_length {max_length}", file=file)
    return kept, Prompts(rows=len(found), too_long=len(long), dropped=len(out), truncated=len(cut))


def probes_of(found: Sequence[Rendered], tokenizer: Any) -> Probes:
    """Some prompts as they were trained on, for whoever serves the model to compare with."""
    chosen = [found[place] for place in every(len(found))]
    return Probes(
        probes=tuple(
            Probe(
                id=one.row.id,
                messages=one.row.prompt,
                ids=tuple(one.prompt_ids),
                pieces=tuple(tokens_of("trained", one.prompt_ids, tokenizer).pieces),
            )
            for one in chosen
        )
    )
