"""From a text to the language that it is in for certain, by lingua; a text of few letters is in none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from nightschool.errors import RecipeError

RULES_VERSION = 1

# Formulas, commands and markup are no language, and names of variables least of all.
_NO_WORDS = re.compile(
    r"\\(?:begin|end)\{[^}]*\}|\$\$.*?\$\$|"
    r"\$[^$]*\$|\\\([^)]*\\\)|\\\[.*?\\\]|\\[A-Za-z]+|`[^`]*`|https?://\S+|[\d_{}^\\]+|\b\w\b",
    re.DOTALL,
)
_LEAST_LETTERS, _LEAST_CONFIDENCE = 20, 0.6
# What is told apart. With all of lingua's 75, "Rationalize the denominator" is Latin and its models take 930 MB; with
# these it took 380 MB and called one of 5,800 questions of MATH and GSM8K foreign.
_COMMON = (
    "ar", "cs", "de", "el", "en", "es", "fa", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ro", "ru",
    "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip


def foreign(text: str, allowed: Sequence[str]) -> str | None:
    """The language of the text, by its ISO 639-1 code, if it is none of those allowed; None also if it can't be told.

    Raises:
        RecipeError: lingua is not installed.
    """
    prose = " ".join(_NO_WORDS.sub(" ", text).split())
    if sum(map(str.isalpha, prose)) < _LEAST_LETTERS:
        return None
    code: str | None = None
    # The accurate models take six times as long: they are asked only about what the small ones call foreign.
    for accurate in (False, True):
        found = detector(tuple(sorted({*_COMMON, *allowed})), accurate).compute_language_confidence_values(prose)[0]
        code = found.language.iso_code_639_1.name.lower()
        if code in allowed:
            return None
    return code if found.value >= _LEAST_CONFIDENCE else None


def codes() -> frozenset[str]:
    """The codes of all languages that can be told."""
    return frozenset(language.iso_code_639_1.name.lower() for language in _lingua().Language.all())


@cache
def detector(among: tuple[str, ...], accurate: bool) -> Any:
    """lingua's detector of these languages; its models are read as texts need them."""
    lingua = _lingua()
    languages = [getattr(lingua.IsoCode639_1, code.upper()) for code in among]
    builder = lingua.LanguageDetectorBuilder.from_iso_codes_639_1(*languages)
    return builder.build() if accurate else builder.with_low_accuracy_mode().build()


def _lingua() -> Any:
    try:
        import lingua
    except ModuleNotFoundError:
        raise RecipeError("the filter `language` needs lingua", field="filters.language",
                          allowed="pip install 'nightschool[language]'") from None  # fmt: skip
    return lingua
