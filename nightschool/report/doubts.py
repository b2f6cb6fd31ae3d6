"""The pairs that were left out of a loss, for people: somebody should look at them."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.report.proof import Figure
from nightschool.report.text import visible

# Characters of a side that a line of a table has room for; lines that a page has.
_SHOWN, _LINES = 160, 30


class LeftOut(Figure):
    """A pair at weight zero in an epoch, from 0; `against`: the share of teachers who voted against its chosen side."""

    stage: str
    epoch: int
    id: str
    against: float
    chosen: str
    rejected: str


def shown(found: Sequence[LeftOut]) -> Sequence[LeftOut]:
    """Those that a page has room for: the first of them, which are the most doubted."""
    return found[:_LINES]


def left_out_words(found: Sequence[LeftOut]) -> str:
    """How many there are, and how many are shown."""
    pairs = len({(one.stage, one.id) for one in found})
    more = f", of which {_LINES} are shown" if len(found) > _LINES else ""
    return f"{pairs:,} pair{'' if pairs == 1 else 's'} at weight zero{more}"


def short(text: str) -> str:
    """A side of a pair in one line, visible and no longer than a person reads."""
    line = " ".join(text.split())
    return visible(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")
