"""From a multiple-choice row to the same with its choices in another order, and every mention of a letter mended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, cast

from nightschool.records import LETTERS, Letter, Question, Ruling
from nightschool.seeds import rng_of

RULES_VERSION = 1

Unsafe = Literal["names_letters", "choices_in_order"]

# A-D and a-d stand for the letters that a question has.
_ONE = r"[(\[]?\b[A-D]\b[)\]]?"
_IS = "(?i:is|are|:|=|would be|must be|should be)"
_LIST = rf"{_ONE}(?:\s*(?:,\s*and|,\s*or|,|and|or|nor|&|/)\s*{_ONE})*"
# Each finds letters that can only be letters of choices: "Options A, B and D", "answer: C", "(b)", "B)", "**C**".
_CUES = (
    rf"\b(?i:options?|choices?|letters?|alternatives?)\s*(?:is|are|:|=)?\s*{_LIST}",
    rf"\b(?i:answers?)\s*{_IS}?\s*{_LIST}(?!\s+[a-z]+(?<!because)(?<!since)\b)",
    r"\b(?i:options?|choices?|letters?)\s+(?!a)[a-d]\b",
    r"[(\[][A-Da-d][)\]]",
    r"(?<![\w(])[A-Da-d]\)",
    r"^[A-D][.:](?=\s)",
    r"\*\*[A-D]\*\*",
    r"\\boxed\{[A-D]\}",
)
_LETTER = r"(?<![\w\\])[A-Da-d](?!\w)"
# "A dog barks" is an article; "A is right" is not.
_ARTICLE = re.compile(
    r"A\s+(?!(?:is|isn|was|and|or|nor|has|had|have|would|could|can|cannot|will|must|may|might|does|do|did|because|since"
    r"|as|if|but|so|seems|looks|fits|matches|states|says|gives|follows|fails|works|then|to|in|by)\b)[a-z]"
)
# "Option a" may be a choice, "a choice a man makes" is none.
_SMALL_A = re.compile(r"\b(?i:option|choice|letter)\s+a\b(?![)\]])")
_PLACED = (
    r"\b(?:all|none|both|neither|any|some|most|two) of (?:the )?(?:above|below|preceding|previous)\b|\bthe above\b"
    r"|\b[A-D]\s*(?:and|or|nor|&|,)\s*[A-D]\b"
)


@cache
def _pattern(text: str, letters: int) -> re.Pattern[str]:
    """A pattern for questions with so many letters."""
    last = LETTERS[letters - 1]
    text = text.replace("A-D", f"A-{last}").replace("a-d", f"a-{last.lower()}")
    return re.compile(text, re.IGNORECASE if text.startswith(r"\b(?:all") else re.MULTILINE)


def relettered(ruling: Ruling, *, seed: int) -> Ruling | Unsafe:
    """The row with its choices in an order drawn by seed and row id, recorded in `mended.letters`.

    Truth, key, answer and votes move with their choices, and so do letters that the reasoning names ("Option B", "(C)",
    "answer: D"). It can't be done when a letter stands alone and may mean something else, or when a choice speaks of
    its place ("all of the above"): then the reason why.
    """
    question = ruling.question
    letters = LETTERS[: len(question.choices)]
    if not letters:
        return ruling
    if any(_pattern(_PLACED, len(letters)).search(choice) for choice in question.choices):
        return "choices_in_order"
    order = rng_of("letters", seed, ruling.id).sample(letters, len(letters))
    moved = {old: LETTERS[place] for place, old in enumerate(order)}
    reasoning = rewritten(ruling.reasoning, moved, named=_bare(question.question, len(letters)))
    if reasoning is None:
        return "names_letters"
    return ruling.model_copy(
        update={
            "question": _question(question, order, moved),
            "answer": _moved(ruling.answer, moved),
            "vote": _moved(ruling.vote, moved),
            "votes": {name: _moved(vote, moved) for name, vote in ruling.votes.items()},
            "reasoning": reasoning,
            "mended": ruling.mended.model_copy(update={"letters": "".join(order)}),
        }
    )


def rewritten(text: str, moved: Mapping[str, str], *, named: bool = False) -> str | None:
    """The text with each letter that names a choice replaced; None if a letter may or may not name one.

    Args:
        moved: new letter by old one, capitals.
        named: the question gives letters a meaning of its own, so none can be told.
    """
    places: set[int] = set()
    for cue in _CUES:
        for found in _pattern(cue, len(moved)).finditer(text):
            places |= {at.start() for at in _pattern(_LETTER, len(moved)).finditer(text, found.start(), found.end())}
    # An "a" inside a cue ("Choices are a ...") is no letter of a choice; brackets tell those that are.
    places = {at for at in places if text[at] != "a" or text[at + 1 : at + 2] in (")", "]")}
    if (named and places) or _SMALL_A.search(text) or _bare(text, len(moved), places):
        return None
    return "".join(_cased(char, moved) if at in places else char for at, char in enumerate(text))


def _bare(text: str, letters: int, known: set[int] | None = None) -> bool:
    """Whether a letter stands alone that is no article."""
    for found in _pattern(_LETTER, letters).finditer(text):
        at = found.start()
        article = text[at] == "a" or _ARTICLE.match(text, at) is not None
        if at not in (known or ()) and not article:
            return True
    return False


def _cased(char: str, moved: Mapping[str, str]) -> str:
    new = moved[char.upper()]
    return new if char.isupper() else new.lower()


def _moved(letter: str | None, moved: Mapping[str, str]) -> str | None:
    return moved.get(letter, letter) if letter else letter


def _question(question: Question, order: list[str], moved: Mapping[str, str]) -> Question:
    choices = tuple(question.choices[LETTERS.index(old)] for old in order)
    truth, key = (cast("Letter | None", _moved(letter, moved)) for letter in (question.truth, question.key))
    return question.model_copy(
        update={"choices": choices, "truth": truth, "key": key, "answer": _moved(question.answer, moved)}
    )
