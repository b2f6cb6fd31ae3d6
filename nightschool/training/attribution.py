"""The command: `python -m nightschool.training.attribution JOB.json` tells what of an answer the draft carries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nightschool.errors import DataError, NightError
from nightschool.rendering import rendered
from nightschool.training.attribute_job import MARK, Attributed, AttributeJob, AttributeRow
from nightschool.training.process import prepare
from nightschool.wire import Message

_CHUNK = 4096  # rows of the vocabulary that are averaged at a time

Span = tuple[int, int]


def main() -> int:
    """Attribute every row; one line of stdout each. Exit codes as of `nightschool.training`."""
    parser = argparse.ArgumentParser(prog="python -m nightschool.training.attribution", description="Attributes rows.")
    parser.add_argument("job", type=Path, help="JSON file, see nightschool.training.attribute_job")
    path = parser.parse_args().job
    try:
        job = AttributeJob.model_validate_json(path.read_bytes())
        rows = [AttributeRow.model_validate_json(line) for line in Path(job.rows).read_bytes().splitlines()]
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"{path}: no job: {error}\n")
        return DataError.exit_code
    prepare(job)
    try:
        attribute = loaded(job)
        for row in rows:
            print(attribute(row).model_dump_json(), flush=True)  # noqa: T201 - the answer to whoever started it
    except NightError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def loaded(job: AttributeJob) -> partial[Attributed]:
    """What attributes a row, with the model in memory: in float32, for bfloat16 alone is off by more than 5%.

    Raises:
        DataError: the adapter does not fit.
        WorldError: the model cannot be loaded.
    """
    from transformers import AutoTokenizer

    from nightschool.training.merging import load, with_adapter

    model = load(job.model, "float32")
    if job.adapter:
        model = with_adapter(model, job.adapter, job.model)
    model.eval().requires_grad_(requires_grad=False)
    tokenizer = AutoTokenizer.from_pretrained(job.adapter or job.model)
    return partial(attributed, model, tokenizer, mean_embedding(model), job)


def mean_embedding(model: Any) -> Any:
    """The baseline of a token: the mean of all embeddings, (width,), which says no word.

    Not nought: a layer that divides by its input's size (RMSNorm) is the same all the way from nought to a word, so
    that all change lies at the very beginning. Measured on a tiny Qwen2, 71 tokens, 128 even steps: attributions are
    off by 10 times what moved from nought, by 0.0004 of it from here.
    """
    import torch

    embed = model.get_input_embeddings()
    ids = torch.arange(embed.weight.shape[0], device=embed.weight.device)
    with torch.no_grad():
        return torch.stack([embed(part).sum(0) for part in ids.split(_CHUNK)]).sum(0) / len(ids)


def attributed(model: Any, tokenizer: Any, mean: Any, job: AttributeJob, row: AttributeRow) -> Attributed:
    """One row: F is the logit of the true answer less that of the strongest other one, where the two first differ.

    The answer is forced outright, behind the prompt: on a way of its own words the model would already have made what
    it took from the draft into words of the reply. What every prompt has in common with the baseline (the template,
    and the answer's beginning) has no part in it.
    """
    import torch

    from nightschool.training.gradients import complete

    lost = partial(Attributed, id=row.id, of=row.of)
    if not row.draft:
        return lost(lost="no_draft")
    spans = _spans(tokenizer, row)
    if spans is None:
        return lost(lost="template")
    stem, options = _ending(tokenizer, row)
    if options[0] in options[1:]:
        return lost(lost="same_token")
    said, drafted = spans
    embed = model.get_input_embeddings()
    at = embed(torch.tensor(stem, device=model.device)).detach()
    base = at.clone()
    base[said] = mean.to(at.dtype)

    def score(inputs: Any) -> Any:
        logits = model(inputs_embeds=inputs, logits_to_keep=1).logits[:, -1].float()
        return logits[:, options[0]] - logits[:, other]

    with torch.no_grad():
        logits = model(inputs_embeds=at[None], logits_to_keep=1).logits[0, -1]
    other = max(options[1:], key=lambda token: float(logits[token]))
    found = complete(score, at, base, steps=job.steps, most_steps=job.most_steps, enough=job.enough)
    sizes = found.by_token.abs()
    told = {"moved": found.moved, "error": found.error, "steps": found.steps}
    if found.error > job.enough:
        return lost(lost="incomplete", **told)
    share = float(sizes[drafted].sum() / sizes[said].sum())
    return lost(share=share, tokens=len(drafted) / len(said), **told)


def _spans(tokenizer: Any, row: AttributeRow) -> tuple[list[int], list[int]] | None:
    """Places of the tokens that say something, and of the draft's among them; None where the draft is not to be found.

    By the characters that a token stands for: tokens of the draft alone may be others than in its place.
    """
    marked, text = (_text(tokenizer, turns) for turns in (row.prompt, row.messages))
    parts = marked.split(MARK)
    if len(parts) < 2 or row.draft.join(parts) != text:
        return None
    drafts: list[Span] = []
    for part in parts[:-1]:
        start = (drafts[-1][1] if drafts else 0) + len(part)
        drafts.append((start, start + len(row.draft)))
    said: list[Span] = []
    for turn in row.messages:
        start = text.find(turn.content.strip(), said[-1][1] if said else 0)
        if start < 0:
            return None
        said.append((start, start + len(turn.content.strip())))
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return _inside(offsets, said), _inside(offsets, drafts)


def _inside(offsets: Sequence[Span], spans: Sequence[Span]) -> list[int]:
    def within(start: int, stop: int) -> bool:
        return any(start < end and begin < stop for begin, end in spans)

    return [place for place, span in enumerate(offsets) if within(*span)]


def _text(tokenizer: Any, turns: Sequence[Message]) -> str:
    asked = [{"role": turn.role, "content": turn.content} for turn in turns]
    return tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)


def _ending(tokenizer: Any, row: AttributeRow) -> tuple[list[int], list[int]]:
    """The prompt and what all answers have in common, as token ids; and the token with which each of them goes on."""
    wholes = rendered(
        tokenizer,
        [(*row.messages, Message(role="assistant", content=answer)) for answer in row.answers],
        opened=False,
    )
    shortest = min(map(len, wholes))
    stop = next((place for place in range(shortest) if len({ids[place] for ids in wholes}) > 1), shortest - 1)
    return wholes[0][:stop], [ids[stop] for ids in wholes]


if __name__ == "__main__":
    sys.exit(main())
