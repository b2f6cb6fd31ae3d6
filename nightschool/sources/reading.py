"""From fields of a record to the parts of a question: texts, choices under letters, levels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nightschool.records import LETTERS

_LABEL = re.compile(r"\s*\(?([A-Ja-j])[).:]\s+(?=\S)")
_LETTER = re.compile(r"\s*[\[(]?([A-Ja-j])[\])]?\.?\s*")
_LEVEL = re.compile(r"(?i)(?:level\s*)?(\?|\d{1,4}(?:\.\d{1,4})?)\s*")


class Flaw(ValueError):
    """Why a record is no question: a counter's name, and words for a person."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen, A first; `labels` are what the file calls them, where it does."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()


def text_of(value: object) -> str:
    """A field as text; a number as it is written, nothing for null and for what is no single value."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else orjson.dumps(value).decode()


def level_of(value: object) -> str | None:
    """A level as one short text: "Level 3", 3 and 3.0 are "3"; "Level ?", 0.0 and null are none.

    Source: plan 003, which took "Level ?" for 3; DeepScaleR, whose difficulty 0.0 means that nobody knows.
    """
    text = text_of(value).strip()
    found = _LEVEL.fullmatch(text)
    if found is None:
        return text[:40] or None
    if found[1] == "?" or float(found[1]) == 0:
        return None
    return f"{float(found[1]):g}"


def choices_of(record: Mapping[str, Any], names: Sequence[str]) -> Choices:
    """The choices of a record: a list, labelled or not, {"A": text}, {"label": [...], "text": [...]}, or columns.

    Raises:
        Flaw: fewer than two, more than there are letters, an empty one, or the same one twice.
    """
    given = [record.get(name) for name in names] if len(names) > 1 else record.get(names[0])
    found = _labelled(given)
    plain = [" ".join(text.split()).casefold() for text in found.texts]
    if len(plain) < 2:
        raise Flaw("few_choices", f"{len(plain)} choices, at least 2 are needed")
    if len(plain) > len(LETTERS):
        raise Flaw("many_choices", f"{len(plain)} choices, at most {len(LETTERS)} have a letter")
    if "" in plain:
        raise Flaw("empty_choice", f"choice {LETTERS[plain.index('')]} is empty")
    if len(set(plain)) < len(plain):
        raise Flaw("same_choices", "two choices are the same")
    return found


def letter_of(choices: Choices, letter: object, answer: object) -> str | None:
    """The letter of the right choice, by the file's letter, label or place (from 0), else by the answer's text.

    None if the record says neither.

    Raises:
        Flaw: what it says is none of the choices.
    """
    stated = text_of(letter).strip()
    text = stated or text_of(answer).strip()
    if not text:
        return None
    by_text = [] if stated else [" ".join(choice.split()).casefold() for choice in choices.texts]
    place = None
    if text in choices.labels:
        place = choices.labels.index(text)
    elif (plain := " ".join(text.split()).casefold()) in by_text:
        place = by_text.index(plain)
    elif isinstance(letter, int) and not isinstance(letter, bool):
        place = letter
    elif found := _LETTER.fullmatch(text):
        place = LETTERS.index(found[1].upper())
    if place is None or not 0 <= place < len(choices.texts):
        raise Flaw("no_such_choice", f"{text[:80]!r} is none of the {len(choices.texts)} choices")
    return LETTERS[place]


def _labelled(given: object) -> Choices:
    if isinstance(given, dict):
        texts, labels = given.get("text"), given.get("label")
        if isinstance(texts, list) and isinstance(labels, list) and len(texts) == len(labels):
            return Choices(tuple(map(text_of, texts)), tuple(map(text_of, labels)))
        return Choices(tuple(map(text_of, given.values())), tuple(given))
    if not isinstance(given, list):
        raise Flaw("few_choices", "the field of the choices is no list")
    texts = [text_of(each) for each in given]
    found = [_LABEL.match(text) for text in texts]
    if all(one and one[1].upper() == letter for one, letter in zip(found, LETTERS, strict=False)) and texts:
        texts = [text[one.end() :] for text, one in zip(texts, found, strict=True) if one]
    return Choices(tuple(text.strip() for text in texts))
