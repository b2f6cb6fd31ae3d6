r"""From a problem and an answer to two expressions that are equal if the answer is right, where a problem allows it.

Two kinds do: a closed expression ("Compute $\frac{1}{2}+\frac{1}{3}$."), and one equation in one unknown that is asked
for ("Solve $2x+1=7$ for $x$."), into which the answer is put. Nothing is evaluated here: whether the two are equal is
for `blocks/equivalence.py`, in a process that may be killed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

RULES_VERSION = 1

_MOST_CHARS = 300
_MATHS = re.compile(r"\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
# What may be written in a closed expression; another command may mean anything.
_COMMANDS = {"frac", "dfrac", "tfrac", "sqrt", "cdot", "times", "div", "left", "right", "pi"}
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_COMMAND_KEPT = re.compile(r"(\\[a-zA-Z]+)")
_PRODUCT = re.compile(r"(?<=[0-9)}])\s*(?=\(|\\left\s*\()|(?<=\))\s*(?=[0-9]|\\(?:[dt]?frac|sqrt)\b)")
_PLAIN = re.compile(r"[0-9a-zA-Z\s.+\-*/^(){}\[\]!|=,\\]*")
_NUMBER = re.compile(r"[0-9\s.+\-/(){}\\a-z]+")
# A comma between digits may part thousands, or two numbers; a factor without a sign may be a mixed number.
# to a reader; a root of a negative number has several values.
# Decimals are compared as they are rounded.
_UNSURE = re.compile(r",|\d\.\d|\.\d|\d\s+\d|\d\s*\\[dt]?frac|\)\s*\^\s*\{?[^}]{0,20}(?:/|frac)")
_CLOSED = re.compile(
    r"(?i)(?:please\s+)?(?:compute|evaluate|calculate|simplify|find|what\s+is)(?:\s+the\s+(?:exact\s+)?value\s+of)?:?\s*@\s*[.?]?"
)
_SOLVED = [
    re.compile(rf"(?i){text}\s*[.?]?")
    for text in (
        r"solve\s+@\s+for\s+X",
        r"solve\s+for\s+X\s*[:,]?\s*@",
        r"solve\s+for\s+X\s+(?:in|if)(?:\s+the\s+equation)?\s*:?\s*@",
        r"(?:find|determine|what\s+is)(?:\s+the\s+value\s+of)?\s+X\s+(?:if|such\s+that|so\s+that|when|in|given(?:\s+that)?|for\s+which)(?:\s+the\s+equation)?:?\s*@(?:\s+is\s+true|\s+holds)?",
        r"(?:if|given(?:\s+that)?|suppose(?:\s+that)?)\s+@,?\s*[.,]?\s*(?:then\s+)?(?:find|determine|what\s+is)(?:\s+the\s+value\s+of)?\s+X",
        r"for\s+what\s+value\s+of\s+X\s+(?:is|does)\s+@(?:\s+true|\s+hold)?",
        r"what\s+value\s+of\s+X\s+(?:will\s+)?(?:satisfies|satisfy|makes|solves)(?:\s+the\s+equation)?\s*:?\s*@(?:\s+true)?",
    )
]
# What is said beside the question without changing its answer.
_ASIDES = re.compile(
    r"(?i)\s*(?:express|write|give|enter|leave|put)\s+(?:your\s+)?(?:the\s+)?(?:final\s+)?answer\s+(?:as|in)\s+(?:a\s+|an\s+|its\s+)?"
    r"(?:common\s+|reduced\s+|improper\s+|simplest\s+|simplified\s+)*(?:fraction|form|integer|decimal|radical\s+form)[^.]{0,40}\."
)


class Check(NamedTuple):
    """Two expressions that are equal if the answer is right; a sign of what the problem allows, never of effort."""

    left: str
    right: str


def check_of(problem: str, answer: str) -> Check | None:
    """What shows whether an answer is right; None where the problem allows no such check.

    Source: plan 003, "SymPy verification for answers".
    """
    text = " ".join(_ASIDES.sub("", problem).split())
    if len(text) > _MOST_CHARS or not answer or len(answer) > _MOST_CHARS or not _is_number(answer):
        return None
    parts = [next(filter(None, found.groups())).strip(" .,;") for found in _MATHS.finditer(text)]
    if len(parts) == 1 and _CLOSED.fullmatch(_MATHS.sub("@", text)) and _is_closed(parts[0]):
        return Check(_spelt_out(parts[0]), answer)
    return _put_in(text, parts, answer)


def _put_in(text: str, parts: list[str], answer: str) -> Check | None:
    """One equation, and beside it nothing but the letter that is asked for."""
    equations = [part for part in parts if "=" in part]
    letters = {part for part in parts if "=" not in part}
    if len(equations) != 1 or len(letters) > 1 or equations[0].count("=") != 1:
        return None
    unknown = _unknown(equations[0])
    if unknown is None or (letters and letters != {unknown}):
        return None
    asked = _MATHS.sub(lambda found: "@" if "=" in found[0] else "X", text)
    if not any(form.fullmatch(asked) for form in _SOLVED):
        return None
    left, right = (_spelt_out(_with(side, unknown, answer)) for side in equations[0].split("="))
    return Check(left, right) if left and right else None


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text)) and _commands_known(text) and not _letters(text) and not _UNSURE.search(text)


def _is_closed(text: str) -> bool:
    known = _PLAIN.fullmatch(text) and _commands_known(text) and not _letters(text)
    # A single number is no expression: what is asked of it is said in words.
    return bool(known) and "=" not in text and not _UNSURE.search(text) and bool(re.search(r"[+*/^!\\]|\d\s*-", text))


def _unknown(equation: str) -> str | None:
    """Its one letter; None if it has several, or anything that is not understood."""
    found = _letters(equation)
    fine = _PLAIN.fullmatch(equation) and _commands_known(equation) and not _UNSURE.search(equation)
    return found.pop() if fine and len(found) == 1 else None


def _commands_known(text: str) -> bool:
    return set(_COMMAND.findall(text)) <= _COMMANDS


def _letters(text: str) -> set[str]:
    return set(re.findall(r"[a-zA-Z]", _COMMAND.sub(" ", text)))


def _with(side: str, unknown: str, answer: str) -> str:
    """The side with the answer in the unknown's place, commands left whole; an exponent needs its braces."""
    raised = re.sub(rf"\^\s*{unknown}", f"^{{{unknown}}}", side)
    pieces = _COMMAND_KEPT.split(raised)
    return "".join(piece if piece.startswith("\\") else piece.replace(unknown, f"({answer})") for piece in pieces)


def _spelt_out(text: str) -> str:
    """With a sign at every product: readers of LaTeX take 3(8) for a function's value now and then."""
    return _PRODUCT.sub(r" \\cdot ", re.sub(r"\\left\s+\(", r"\\left(", text)).strip()
