"""From the drafts of held-out questions to what is shown in their place: none, another's, one that says nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from nightschool.leaks import statements
from nightschool.recipe.ablate import Variant
from nightschool.seeds import rng_of

RULES_VERSION = 1

# A sentence or a line, and what parts it from the next.
_PIECE = re.compile(r"((?<=[.!?])\s+|\n+)")

Reader = Callable[[str], str | None]


def instead(
    variant: Variant, drafts: Mapping[str, str], *, read: Reader, way: Callable[[str], str], seed: int
) -> dict[str, str]:
    """What each question shows for its draft; a question that has none in it is asked without a word of a draft.

    None of them looks at the truth.

    Args:
        drafts: of the held-out questions, by their ids.
        read: the answer that a text says, if it says one.
        way: what of a draft leads to its answer; all of it, if nothing tells the two apart.

    Source: plan 002, "No-draft ablation" and "Shuffled-draft"; issue 6, 5.
    """
    match variant:
        case "no_draft":
            return {}
        case "shuffled":
            return {one: drafts[other] for one, other in _others(sorted(drafts), seed).items()}
        case "no_answer":
            return {one: without_answer(way(text), read) for one, text in drafts.items()}
        case "majority":
            return dict.fromkeys(drafts, _commonest(drafts, read))


def without_answer(text: str, read: Reader) -> str:
    """A text without the sentences that say an answer; what leads to it stays."""
    parts = _PIECE.split(text)
    pieces = [(piece, gap) for piece, gap in zip(parts[::2], [*parts[1::2], ""], strict=True) if not _says(piece, read)]
    while pieces and read(_joined(pieces)) is not None:
        pieces.pop()
    return _joined(pieces)


def _joined(pieces: list[tuple[str, str]]) -> str:
    return "".join(piece + gap for piece, gap in pieces).strip()


def _says(piece: str, read: Reader) -> bool:
    return any(read(said) is not None for said in statements(piece))


def _others(names: list[str], seed: int) -> dict[str, str]:
    """Each question with another one, every one once: a ring through all of them in drawn order."""
    ring = list(names)
    rng_of("shuffled drafts", seed).shuffle(ring)
    return dict(zip(ring, [*ring[1:], *ring[:1]], strict=True)) if len(ring) > 1 else {}


def _commonest(drafts: Mapping[str, str], read: Reader) -> str:
    """The commonest draft among those that say the answer that most of them say; of equals the first in order."""
    said = {name: read(text) for name, text in sorted(drafts.items())}
    answers = Counter(value for value in said.values() if value is not None)
    answer = answers.most_common(1)[0][0] if answers else None
    return Counter(drafts[name] for name, value in said.items() if value == answer).most_common(1)[0][0]
