"""Kinds of data that are known by name: which fields they have, and how their answers are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from nightschool.sources.reading import Flaw, text_of
from nightschool.values.read import read

KindName = Literal["plain", "strategyqa", "math", "gsm8k", "bigbench", "logiclm", "deepscaler", "aimo"]


class Names(NamedTuple):
    """Names of fields by the part of a question that they hold; several of `question` are joined to one text."""

    question: tuple[str, ...] = ("question",)
    answer: str | None = None
    choices: tuple[str, ...] = ()
    letter: str | None = None
    topic: str | None = None
    level: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data.

    Attributes:
        rows: where the list of rows lies in a JSON document.
        answer: the answer of a record whose answer field has this value; None if there is none.
        answered: whether a row without an answer is bad.
        integers: what the answers may be, if only whole numbers may.
        unfold: a record as one with plain fields.
    """

    names: Names
    rows: str | None = None
    answer: Callable[[object], str | None] = lambda value: text_of(value).strip() or None
    answered: bool = True
    integers: tuple[int, int] | None = None
    unfold: Callable[[Mapping[str, Any]], Mapping[str, Any]] = field(default=lambda record: record)


def _yes_no(value: object) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return read(text_of(value).strip(), "yes_no").value


def _boxed(value: object) -> str | None:
    r"""What the last box of a solution holds; a text without any box is the bare answer, if it is short.

    Source: plan 003, whose extraction was wrong on 1,200 of 5,000 solutions.
    """
    text = text_of(value).strip()
    found = read(text, "latex")
    if found.reason == "no_box":
        return text if text and len(text) < 100 and "\n" not in text else None
    return found.value


def _after_hashes(value: object) -> str | None:
    """The number after `####`, without its commas."""
    return read(text_of(value), "number").value


_OPTIONS = re.compile(r"\n\s*Options:[ \t]*\n")
_OPTION = re.compile(r"^\s*(?:-\s+|\(?([A-J])[).]\s+)(\S.*?)\s*$")


def _bigbench(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """`target_scores` (BIG-bench) or "Options:" at the end of the input (BIG-Bench Hard) as choices.

    Source: google/BIG-bench, doc.md; suzgunmirac/BIG-Bench-Hard.
    """
    scores, text, target = record.get("target_scores"), text_of(record.get("input")), record.get("target")
    if isinstance(target, list):
        target = target[0] if target else None
    if isinstance(scores, dict) and scores:
        best = max(scores.values())
        right = [name for name, score in scores.items() if score == best]
        if len(right) > 1:
            raise Flaw("several_answers", f"{len(right)} choices share the best score")
        return {**record, "choices": list(scores), "target": right[0]}
    found = list(_OPTIONS.finditer(text))
    if not found:
        return {**record, "target": target}
    options = [_OPTION.match(line) for line in text[found[-1].end() :].splitlines() if line.strip()]
    if not all(options):
        raise Flaw("few_choices", "a line after Options: is no option")
    choices = [option[2] for option in options if option]
    return {**record, "input": text[: found[-1].start()], "choices": choices, "target": target}


KINDS: dict[KindName, Kind] = {
    "plain": Kind(Names(), answered=False),
    "strategyqa": Kind(Names(answer="answer", id="qid"), answer=_yes_no),
    "math": Kind(Names(("problem",), answer="solution", topic="type", level="level"), answer=_boxed),
    "gsm8k": Kind(Names(answer="answer"), answer=_after_hashes),
    "bigbench": Kind(Names(("input",), answer="target", choices=("choices",)), rows="examples", unfold=_bigbench),
    "logiclm": Kind(Names(("context", "question"), choices=("options",), letter="answer", id="id")),
    # Rows without an answer are asked all the same: there is no truth to compare with, and the report says how many.
    "deepscaler": Kind(Names(("problem",), answer="answer", topic="type", level="difficulty"), answered=False),
    "aimo": Kind(Names(("problem",), answer="answer", id="id"), integers=(0, 99_999)),
}
