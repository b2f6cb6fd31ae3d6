"""From named evaluation sets to the rows that repeat a passage of one: runs of words in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nightschool.normal import normal, words

RULES_VERSION = 1

# A question of fewer words is met only by the same question: five words in a row are no passage.
_LEAST_PASSAGE = 6


class Passage(NamedTuple):
    """Where a text was met: the set's name, the place of the question in it (from 1), and the words in common."""

    name: str
    place: int
    words: str


class Passages:
    """Runs of words of evaluation sets, and where each came first.

    Source: GPT-3's 13-grams (arXiv 2005.14165, appendix C).
    """

    def __init__(self, run_words: int) -> None:
        self._length = run_words
        self._met: dict[int, dict[str, tuple[str, int]]] = defaultdict(dict)

    def add(self, name: str, texts: Iterable[str]) -> None:
        """Takes in the questions of a set; one that is shorter than a run is one run of its own."""
        for place, text in enumerate(texts, start=1):
            run = words(normal(text))
            for passage in _runs(run, min(self._length, len(run))) if run else ():
                self._met[min(self._length, len(run))].setdefault(passage, (name, place))

    def find(self, text: str) -> Passage | None:
        """The first run of the text that a set has as well."""
        run = words(normal(text))
        for length, met in sorted(self._met.items(), reverse=True):
            if length > len(run) or (length < _LEAST_PASSAGE and length != len(run)):
                continue
            for passage in _runs(run, length):
                if passage in met:
                    return Passage(*met[passage], passage)
        return None


def _runs(run: list[str], length: int) -> Iterator[str]:
    return (" ".join(run[at : at + length]) for at in range(len(run) - length + 1))
