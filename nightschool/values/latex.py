r"""Equality of two expressions as far as it can be told without mathematics: the same text, or two exact numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from nightschool.values.characters import folded

_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|,\\!)(?=\d{3}(?!\d))", re.ASCII)
_DROPPED = re.compile(r"\\(?:left|right)(?![a-zA-Z])|\\[!,;: ]|\\?\$|~|\.$")
_FRACTIONS = re.compile(r"\\[dt]frac(?![a-zA-Z])")
_SHORT_FRACTION = re.compile(r"\\frac\s?(\d)\s?(\d)", re.ASCII)
# Blanks between two words or numbers mean something ("1 2" is not 12), all others do not.
_BLANKS = re.compile(r"(?<!\w)\s+|\s+(?!\w)")
_BLANK = re.compile(r"\s+")
_RATIO = re.compile(
    r"(-?)(?:(\d{1,300})(?:/(\d{1,300}))?|\\frac\{(-?\d{1,300})\}\{(\d{1,300})\}|(\d{0,300}\.\d{1,300}))", re.ASCII
)


@lru_cache(maxsize=1 << 16)
def tidy(text: str) -> str:
    r"""One spelling for expressions that look the same on paper: \dfrac and \frac, \left( and (, 10,\!080 and 10080."""
    plain = _THOUSANDS.sub("", folded(text).strip())
    plain = _FRACTIONS.sub(r"\\frac", _DROPPED.sub("", plain))
    plain = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", plain)
    return _BLANK.sub(" ", _BLANKS.sub("", plain)).strip()


def same(gold: str, answer: str) -> bool | None:
    """Whether two expressions are equal; None if it takes mathematics to tell."""
    (left, exact), (right, exactly) = known_as(gold), known_as(answer)
    return True if left == right else False if exact and exactly else None


@lru_cache(maxsize=1 << 16)
def known_as(text: str) -> tuple[tuple[int, int] | str, bool]:
    """An exact number as a fraction in lowest terms, else the tidy text; and whether it differs from all others.

    Decimals may be rounded: 0.333333 for 1/3 is for the slow path to rule on.
    """
    plain = tidy(text)
    found = _number(plain)
    return (plain, False) if found is None else (found[0].as_integer_ratio(), not found[1])


def _number(text: str) -> tuple[Fraction, bool] | None:
    """An exact number, and whether it is written as a decimal."""
    found = _RATIO.fullmatch(text)
    if found is None:
        return None
    sign, whole, below, top, bottom, decimal = found.groups()
    lower = int(below or bottom or 1)
    if lower == 0:
        return None
    number = Fraction(whole or top or decimal) / lower
    return (-number if sign else number), decimal is not None
