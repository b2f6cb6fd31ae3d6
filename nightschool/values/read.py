"""From a completion to its answer, by kind: the one door to this package."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from functools import lru_cache

from nightschool.parsing import split_reasoning
from nightschool.values import latex
from nightschool.values.boxes import last_box
from nightschool.values.choices import read_letter, read_yes_no
from nightschool.values.kinds import MAX_CHARS, Fallback, Kind, Reading, nothing, unclear, value
from nightschool.values.numbers import last_number, read_number

RULES_VERSION = 2

# Around a text that is the same without: "Paris." and paris.
_AROUND = " .,;:!\"'`*\u201c\u201d\u2018\u2019"
# To math-verify it is a product of three letters, equal to them in any order.
_NAN = re.compile(r"[+-]?\s?(?:\\(?:text|mathrm)\s?\{\s?)?nan\s?\}?", re.IGNORECASE)


def read(text: str, kind: Kind, *, fallback: Fallback = "none") -> Reading:
    """The answer of a completion; what it thought before (<think>) is no answer.

    The text is untrusted: it is only ever searched, in time that grows with its length, and nothing in it is evaluated.

    Args:
        fallback: whether the last number of the text may stand in for an answer that is not marked as one.

    Source: plans 002 to 004; issue 4, "Answers as values".
    """
    said, _ = split_reasoning(text) if "think>" in text else (text, None)
    box = last_box(said)
    if kind == "text":
        return _text(box.value or "") if box and box.outcome == "value" else box or _text(said)
    if kind == "letter":
        return read_letter(box, said)
    if kind == "yes_no":
        return read_yes_no(box, said)
    if kind in ("integer", "number"):
        return read_number(box, said, whole=kind == "integer", fallback=fallback)
    return _latex(box, said, fallback)


@lru_cache(maxsize=1 << 12)
def read_truth(answer: str, kind: Kind) -> Reading:
    r"""The value of a file's answer: a whole solution with its box or `####`, or the bare value.

    An answer that is none of the kind is `nothing`: then there is no truth to compare with.
    """
    if kind == "latex" and last_box(answer) is None:
        return _text(answer.rpartition("####")[2])
    if kind in ("letter", "yes_no") and len(answer) < 20:
        return read(answer.strip(" ()[].*"), kind)
    return read(answer, kind)


def equal(truth: str, found: str, kind: Kind) -> bool | None:
    """Whether two values of a kind are the same; None if it takes mathematics to tell, which only `latex` does."""
    return equals(truth, (found,), kind)[found]


def equals(truth: str, values: Iterable[str], kind: Kind) -> dict[str, bool | None]:
    """`equal` of each value to one truth."""
    left, exact = known_as(truth, kind)
    found: dict[str, bool | None] = {}
    for each in values:
        right, exactly = known_as(each, kind)
        found[each] = True if left == right else False if exact and exactly else None
    return found


def known_as(value: str, kind: Kind) -> tuple[Hashable, bool]:
    """What two values share if they are `equal`, and whether two that don't are surely two."""
    if kind == "latex":
        return latex.known_as(value)
    return value.casefold().strip(_AROUND) if kind == "text" else value, True


def _text(said: str) -> Reading:
    plain = " ".join(said.split())
    if len(plain) > MAX_CHARS:
        return unclear("too_long")
    return value(plain) if plain else nothing("no_answer")


def _latex(box: Reading | None, said: str, fallback: Fallback) -> Reading:
    if box is None or box.reason in ("open_box", "empty_box"):
        guess = last_number(said) if fallback == "last_number" else None
        return (box or nothing("no_box")) if guess is None or isinstance(guess, str) else value(str(guess))
    return nothing("not_finite") if box.value and _NAN.fullmatch(box.value) else box
