"""From a completion to a choice: its letter, or yes or no; in prose too."""

from __future__ import annotations

import re

from nightschool.values.characters import folded
from nightschool.values.kinds import Reading, nothing, unclear, value

_TAIL_CHARS = 300
# "**", quotes, brackets, the end of a tag (<answer>B</answer>) and what TeX wraps a word in.
_DRESS = r"(?:\\(?:text|textbf|mathrm|mathbf|boxed)\{|[\s*_:\"'`({\[$>]){0,12}"
_SAYS = r"\s{0,4}(?:is|would\s{1,4}be|must\s{1,4}be|:|=)"

# A letter stands alone: "A) because", "(A)", "a."; "A dog" and "a dog" are words of a sentence.
_ENDS = (
    r"(?=\s{0,4}(?:$|[\n.,;:)\]}*\"'`!$<]|because\b|since\b|as\b|for\b|-|is\s(?:correct|right)\b"
    r"|(?:(?:and|or)\s{1,4}|[&/]\s{0,4})[(\[*]{0,4}[A-J]\b))"
)
_LETTER = rf"([A-Ja-j]){_ENDS}"
_STATED_LETTER = re.compile(
    rf"(?i:(?<!</)\b(?:answer|option|choice)\b(?:{_SAYS}|)){_DRESS}(?i:option\s|choice\s|){_LETTER}"
)
_ALL_LETTER = re.compile(rf"{_DRESS}{_LETTER}")
# "A, I think" names one letter.
_SECOND = re.compile(
    r"[\s)\].*]{0,6}(?:,\s{1,4}(?:and|or)\s|(?:and|or)\b|[,&/])[\s(\[*]{0,6}(?!I\s{1,4}[a-z'])([A-J])(?![A-Za-z'])"
)

_WORD = r"(yes|no|true|false)\b(?!\s{1,4}(?:longer|more|one|doubt|matter)\b)"
_STATED_WORD = re.compile(
    rf"(?i)(?<!</)\b(?:answer|verdict|conclusion|statement)\b(?:{_SAYS}(?:\s[a-z]{{2,10}}ly\b)?|>){_DRESS}{_WORD}"
)
_MARKED_WORD = re.compile(rf"(?i)(?:\*\*|__|\[){{1,3}}\s?{_WORD}\s?[.!]?\s?(?:\*\*|__|\])")
_CLOSING_WORD = re.compile(
    rf"(?i)(?:^|[.!?\n])\s{{0,8}}(?:so|thus|therefore|hence)?,?\s{{0,4}}{_WORD}[.!\s*\]\"'$}})]{{0,8}}$"
)
_OPENING_WORD = re.compile(rf"(?i){_DRESS}{_WORD}(?=[\s*\]\"'}})]{{0,4}}(?:[,.;:!\n]|$|-|\u2014|\u2013))")
_BOTH = re.compile(rf"(?i)[\s*_)\]}},\"']{{0,6}}(?:(?:and|or)\b|[&/])[\s*_({{\[\"']{{0,6}}{_WORD}")
_SAME = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}


def read_letter(box: Reading | None, text: str) -> Reading:
    """The letter that a completion chooses, A to J: boxed, stated ("the answer is (B)"), or all that it begins with.

    The last statement counts. Two letters at once ("A or B") can't be judged.
    """
    if box is not None:
        found = _ALL_LETTER.match(folded(box.value)) if box.value else None
        return _letter(found) if found else nothing(box.reason or "not_a_letter")
    plain = folded(text).strip()
    return _letter(_last(_STATED_LETTER, plain) or _ALL_LETTER.match(plain))


def read_yes_no(box: Reading | None, text: str) -> Reading:
    """Yes or no, as a completion concludes: boxed, stated, marked (**[YES]**), its last sentence, its first word.

    In this order, for a conclusion outranks what came before it; among several of a sort the last one counts. Both at
    once ("the answer is yes or no") can't be judged.
    """
    if box is not None:
        found = _OPENING_WORD.match(folded(box.value)) if box.value else None
        return _word(found) if found else nothing(box.reason or "no_verdict")
    plain = folded(text).strip()
    return _word(
        _last(_STATED_WORD, plain)
        or _last(_MARKED_WORD, plain)
        or _CLOSING_WORD.search(plain[-_TAIL_CHARS:])
        or _OPENING_WORD.match(plain)
    )


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 - the last one counts
        pass
    return found


def _letter(found: re.Match[str] | None) -> Reading:
    if found is None:
        return nothing("no_answer")
    second = _SECOND.match(found.string, found.end())
    if second and second[1] != found[1].upper():
        return unclear("several_letters")
    return value(found[1].upper())


def _word(found: re.Match[str] | None) -> Reading:
    if found is None:
        return nothing("no_answer")
    word = _SAME[found[1].lower()]
    other = _BOTH.match(found.string, found.end(1))
    return unclear("yes_and_no") if other and _SAME[other[1].lower()] != word else value(word)
