r"""From a solution to what stands in its last \boxed{} or \fbox{}."""

from __future__ import annotations

import re

from nightschool.values.kinds import MAX_CHARS, Reading, nothing, unclear, value

_NAMES = ("\\boxed", "\\fbox")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
# "\boxed 5", "\boxed\pi": TeX takes one token.
_TOKEN = re.compile(r"\s{0,8}(\\[a-zA-Z]{1,20}|\d{1,40}|[^\s{}\\])")


def last_box(text: str) -> Reading | None:
    r"""The content of the last box; None if there is no box.

    The last box counts, as in MATH's own grading: a box within a box is the last one, so the inner one is read. A box
    that never closes was cut off, and an earlier one does not stand in for it. One pass over the text.

    Source: plan 003, whose pattern took the first box and stopped at its first brace (plan-errors, 003).
    """
    ends = [text.rfind(name) + len(name) for name in _NAMES if name in text]
    if not ends:
        return None
    start = max(ends)
    opening = start
    while opening < len(text) and text[opening] in " \t\n":
        opening += 1
    if text[opening : opening + 1] != "{":
        token = _TOKEN.match(text, start)
        return value(token[1]) if token else nothing("empty_box")
    end = _closing(text, opening)
    if end is None:
        return nothing("open_box")
    if end - opening > MAX_CHARS:
        return unclear("too_long")
    content = text[opening + 1 : end].strip()
    return value(content) if content else nothing("empty_box")


def _closing(text: str, opening: int) -> int | None:
    """Where the brace at `opening` is closed."""
    depth = 0
    for found in _BRACE.finditer(text, opening):
        mark = found.group()
        depth += (mark == "{") - (mark == "}")
        if depth == 0:
            return found.start()
    return None
