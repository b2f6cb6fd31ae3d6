"""From a reply to how sure its writer says it is."""

from __future__ import annotations

import re

from nightschool.values.characters import folded

_STATED = re.compile(
    r"(?im)^[\s*_#>-]{0,8}confidence[*_\s]{0,4}[:=][*_\s]{0,4}(\d{1,3}(?:\.\d{0,6})?|\.\d{1,6})\s{0,2}(%|/\s?100\b|/\s?10\b|)"
)
_WHOLE = {"": 1.0, "%": 100.0, "/100": 100.0, "/10": 10.0}


def stated(text: str) -> float | None:
    """The confidence in [0, 1] on a line of its own ("Confidence: 85%", "confidence = 0.85"); None if there is none.

    The last such line counts; a number out of range is none.
    """
    found = None
    for found in _STATED.finditer(folded(text)):  # noqa: B007 - the last one counts
        pass
    if found is None:
        return None
    share = float(found[1]) / _WHOLE[found[2].replace(" ", "")]
    return share if share <= 1 else None
