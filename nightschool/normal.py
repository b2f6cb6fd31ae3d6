"""From a text to what decides whether two texts are the same: no case, no spacing, no punctuation of sentences."""

from __future__ import annotations

import re
import unicodedata

# Marks that mean something between digits (3.5, 1,000, 5!) or in mathematics stay.
_SENTENCE = re.compile(r"(?<!\d)[.,!]|[.,](?!\d)|[;:?\"'`\u00b4\u2018\u2019\u201c-\u201e\u00ab\u00bb\u2026]")
# Scripts without spaces have words of one sign.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+|[^\w\s]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def normal(text: str) -> str:
    """The text in NFKC and lower case, its words and signs parted by one space.

    >>> normal("What is  3.5+4 ?")
    'what is 3.5 + 4'
    """
    plain = _SENTENCE.sub(" ", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.sub(r"(\d)\s+([.,])\s+(?=\d)", r"\1\2", " ".join(words(plain))).split())


def words(text: str) -> list[str]:
    """Words and single signs, in order."""
    return _WORD.findall(text)


def numbers(text: str) -> tuple[str, ...]:
    """Every number in the text, sorted: two questions that differ here are two questions."""
    return tuple(sorted(_NUMBER.findall(text)))
