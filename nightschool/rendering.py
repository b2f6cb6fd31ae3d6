"""The one rendering of a conversation, for training, serving and tests alike; and where two of them part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from nightschool.wire import Message

PROBES_FILE = "prompts.json"
# Evenly over the rows, so that a template that treats some rows otherwise is met; each costs a millisecond to ask.
PROBES = 16

_AROUND = 6
# How byte-level and sentencepiece vocabularies write blanks.
_BLANKS = str.maketrans({"\u0120": " ", "\u010a": "\n", "\u2581": " "})

Turns = Iterable[Message]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt as token ids, as one side has it; `pieces` are the vocabulary's own words for them."""

    by: str
    ids: Sequence[int]
    pieces: Sequence[str]


class Probe(BaseModel):
    """A prompt whose token ids are known from training, to be compared with a server's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    messages: tuple[Message, ...]
    ids: tuple[int, ...]
    pieces: tuple[str, ...]


class Probes(BaseModel):
    """Prompts of a stage as it was trained on: `prompts.json` beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probes: tuple[Probe, ...]


def rendered(tokenizer: Any, conversations: Sequence[Turns], *, opened: bool) -> list[list[int]]:
    """Token ids of each conversation: the chat template's text, with no special token but those that it writes.

    This is what vLLM does with the messages of a request. A template may write its own beginning of text; a tokenizer
    that adds another one is kept from it.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        opened: whether the assistant's turn is begun at the end, as a server does.
    """
    if not conversations:
        return []
    texts = tokenizer.apply_chat_template(
        [[{"role": turn.role, "content": turn.content} for turn in turns] for turns in conversations],
        add_generation_prompt=opened,
        tokenize=False,
    )
    return tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]


def tokens_of(by: str, ids: Sequence[int], tokenizer: Any) -> Tokens:
    """Token ids with the words for them, for people."""
    return Tokens(by, ids, tokenizer.convert_ids_to_tokens(list(ids)))


def difference(one: Tokens, other: Tokens) -> str | None:
    """Where two renderings of a prompt part first: position, both tokens, the text around; None if they are equal.

    Source: plan 002, which trained on one format and measured another.
    """
    if list(one.ids) == list(other.ids):
        return None
    pairs = zip(one.ids, other.ids, strict=False)
    shorter = min(len(one.ids), len(other.ids))
    at = next((place for place, (a, b) in enumerate(pairs) if a != b), shorter)
    return f"token {at} is {_at(one, at)} as {one.by} and {_at(other, at)} as {other.by}, {_around(one, other, at)}"


def _at(side: Tokens, at: int) -> str:
    return f"{_shown(side, at, at + 1)} ({side.ids[at]})" if at < len(side.ids) else "nothing"


def _around(one: Tokens, other: Tokens, at: int) -> str:
    begin, end = max(0, at - _AROUND), at + _AROUND
    return f"after {_shown(one, begin, at)}; it goes on {_shown(one, at, end)} against {_shown(other, at, end)}"


def _shown(side: Tokens, start: int, stop: int) -> str:
    return repr("".join(side.pieces[start:stop]).translate(_BLANKS))


def every(count: int, most: int = PROBES) -> list[int]:
    """At most so many places out of `count`, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [place * (count - 1) // (most - 1) for place in range(most)]
