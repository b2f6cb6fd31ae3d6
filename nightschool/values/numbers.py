"""From a text to an exact number: thousands, decimals, fractions, signs, units; never a float, never eval."""

from __future__ import annotations

import re
from fractions import Fraction

from nightschool.values.characters import folded
from nightschool.values.kinds import MAX_CHARS, Fallback, Reading, nothing, unclear, value

# 10^400 is a number, 10^(10^9) would fill the memory.
_MAX_EXPONENT = 400
_TAIL_CHARS = 4_000

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,400})(?:\.\d{0,400})?|\.\d{1,400}"
_FRACTION = r"\\[dt]?frac\s?(?:\{\s?(-?\d{1,400})\s?\}\s?\{\s?(\d{1,400})\s?\}|(\d)(\d))"
_NUMBER = rf"([+-]?)\s?(?:\\?\$)?\s?(?:({_DIGITS})(?:[eE]([+-]?\d{{1,12}}))?(?:\s?/\s?(\d{{1,400}}))?|{_FRACTION})"
_AT_START = re.compile(_NUMBER, re.ASCII)
_UNIT = re.compile(r"\s{0,3}(?:\\?%|\\?\$|\^?\\?circ|\^\{\\circ\}|[A-Za-z][A-Za-z ]{0,40})?[.\s]{0,3}", re.ASCII)
_LAST = re.compile(rf"(?<![\d.,/]){_NUMBER}", re.ASCII)
_STATED = re.compile(r"(?i)(?<!</)\banswer\b\s{0,4}(?:is|:|=|>)[\s*_:\"'`({\[]{0,12}")
_OPENING = re.compile(r"^(?:\\[(\[]|[\s$*_({\[]){0,8}")
_NAMED = re.compile(r"^\\?[A-Za-z]{1,12}\s?=\s?")
_WRAPPED = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s?\{([^{}]{0,200})\}")
_SPACES = re.compile(r"\\[!,;: ]|(?<=\d)\{,\}(?=\d)|\\[()\[\]]")
_NOT_FINITE = {"nan", "inf", "infinity", "\\infty", "-inf", "-infinity", "-\\infty", "+inf", "+\\infty"}


def exact(text: str) -> Fraction | str:
    r"""The number that the whole text is, or the reason why it is none.

    A unit behind it (18 dollars, 50\%) and a name before it (x = 5) are left out; -0 is 0; 1e309 is a number like any
    other. Reasons: not_a_number, not_finite; too_large and too_long, which nobody can judge.
    """
    if len(text) > MAX_CHARS:
        return "too_long"
    plain = _tidy(text)
    if plain.lower() in _NOT_FINITE:
        return "not_finite"
    found = _AT_START.match(plain)
    if found is None or not _UNIT.fullmatch(plain, found.end()):
        return "not_a_number"
    return _of(found)


def stated(text: str) -> Fraction | str | None:
    """The number that a text without a box says is its answer: after `####`, "answer is", `<answer>`, or all of it."""
    plain = folded(text)
    if "####" in plain:
        return exact(plain.rpartition("####")[2].strip().partition("\n")[0])
    last = None
    for last in _STATED.finditer(plain):  # noqa: B007 - the last one counts
        pass
    if last is not None:
        rest = _tidy(plain[last.end() : last.end() + MAX_CHARS].partition("\n")[0])
        found = _AT_START.match(rest)
        return _of(found) if found else None
    found = exact(plain.strip()) if len(plain) <= MAX_CHARS else None
    return found if isinstance(found, Fraction) or found in ("not_finite", "too_large") else None


def last_number(text: str) -> Fraction | str | None:
    """The last number of a text: a guess, for recipes that ask for it.

    Source: plan 003, whose "100% extraction" was true by construction.
    """
    last = None
    for last in _LAST.finditer(_SPACES.sub("", folded(text[-_TAIL_CHARS:]))):  # noqa: B007 - the last one counts
        pass
    return _of(last) if last else None


def read_number(box: Reading | None, text: str, *, whole: bool, fallback: Fallback) -> Reading:
    """A number as its canonical text (7, -3, 9/7); `whole` for integers only.

    Args:
        box: the text's last box, if it has one: nothing else is looked at then, but by the fallback.
    """
    if box and box.outcome == "could_not_judge":
        return box
    found = stated(text) if box is None else exact(box.value) if box.value else (box.reason or "no_answer")
    if fallback == "last_number" and (found is None or found == "not_a_number"):
        found = last_number(text)
    if found is None:
        return nothing("no_answer")
    if isinstance(found, str):
        return unclear(found) if found in ("too_large", "too_long") else nothing(found)
    if whole and found.denominator != 1:
        return nothing("not_an_integer")
    return value(str(found))


def _tidy(text: str) -> str:
    plain = _SPACES.sub("", _WRAPPED.sub(r" \1", folded(text))).strip()
    plain = _OPENING.sub("", plain, count=1)
    return _NAMED.sub("", plain, count=1).strip("$*_ \n\t")


def _of(found: re.Match[str]) -> Fraction | str:
    """The number of a match of `_NUMBER`."""
    sign, digits, exponent, below, top, bottom, one, two = found.groups()
    top, bottom = (top, bottom) if top else (one, two)
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        return "too_large"
    upper = Fraction(digits.replace(",", "").rstrip(".") if digits else top)
    lower = int(below or bottom or 1)
    if lower == 0:
        return "not_finite"
    number = upper * Fraction(10) ** int(exponent or 0) / lower
    return -number if sign == "-" else number
