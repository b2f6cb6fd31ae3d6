"""From the characters of any script to the ones that answers are read in."""

from __future__ import annotations

import unicodedata

_SIGNS = {"−": "-", "–": "-", "⁄": "/", "\u00a0": " ", "\u2009": " ", "\u202f": " "}  # noqa: RUF001


class _Folded(dict[int, str]):
    """Decimal digits of any script become ASCII, and so do full-width and mathematical letters; nothing else does.

    An exponent (²) is no digit, and a letter that only looks like a Latin one (Cyrillic) stays what it is.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            folded = str(digit)
        elif unicodedata.decomposition(char).startswith(("<wide>", "<font>")):
            folded = unicodedata.normalize("NFKC", char)
        else:
            folded = _SIGNS.get(char, char)
        self[code] = folded
        return folded


_FOLDED = _Folded()


def folded(text: str) -> str:
    """The text with every digit, minus sign and full-width letter in ASCII."""
    return text if text.isascii() else text.translate(_FOLDED)
