"""How a reply is laid out: what marks its answer, whatever it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

Mark = Literal["json", "box", "hashes", "headings", "bold", "list", "lines", "verdict_first"]

_MARKS: Mapping[Mark, Callable[[str], object]] = {
    "json": re.compile(r"^\s*[{\[].*[}\]]\s*$", re.DOTALL).match,
    "box": re.compile(r"\\f?boxed\b").search,
    "hashes": re.compile(r"^####", re.MULTILINE).search,
    "headings": re.compile(r"^#{1,3} ", re.MULTILINE).search,
    "bold": re.compile(r"\*\*[^*]").search,
    "list": re.compile(r"^\s*(?:[-*]|\d{1,2}[.)]) ", re.MULTILINE).search,
    "lines": re.compile(r"\S\s*\n\s*\S").search,
    "verdict_first": re.compile(r"(?i)^\W*(?:answer\W*)?(?:yes|no|true|false|[A-J]\))\b").match,
}
# How an answer is marked as one: where the two sides of a pair differ in these, a model learns the mark.
FORMAT: tuple[Mark, ...] = ("json", "box", "hashes", "headings", "verdict_first")


def marks(text: str) -> frozenset[Mark]:
    """How a reply is laid out."""
    return frozenset(mark for mark, found in _MARKS.items() if found(text))


def same_format(one: str, other: str) -> bool:
    """Whether two replies mark their answers in the same way."""
    return marks(one) & set(FORMAT) == marks(other) & set(FORMAT)
