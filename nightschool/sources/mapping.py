"""From one row of a file to a question, or to the reason why it is none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from nightschool.records import Dropped, Question
from nightschool.sources.kinds import KINDS, KindName, Names
from nightschool.sources.raw import MOST_CHARS, Raw
from nightschool.sources.reading import Choices, Flaw, choices_of, letter_of, level_of, text_of
from nightschool.values import latex

_WHOLE = re.compile(r"(-?\d{1,18})(?:\.0+)?", re.ASCII)
# Drops that were asked for, or that say nothing against the file.
NOT_BAD = frozenset({"duplicate", "other_level", "no_level", "not_an_integer", "out_of_range"})


@dataclass(frozen=True, slots=True)
class Form:
    """What a file's rows are and which of them are wanted.

    Args:
        names: of the fields that hold a question's parts, those of the kind included.
        levels: only rows of these levels; all if empty.
        integers: only rows whose answer is a whole number from the first to the second; never one that was clipped.
    """

    kind: KindName = "plain"
    names: Names = KINDS["plain"].names
    levels: Collection[str] = ()
    integers: tuple[int, int] | None = None


def question_of(raw: Raw, form: Form, place: str) -> Question | Dropped:
    """The row as a question under an id of its content, or dropped under its place with exactly one reason."""
    if raw.flaw:
        return Dropped(id=place, reason=raw.flaw, detail=f"{place}: {raw.detail}")
    try:
        return _question(raw.record, form)
    except Flaw as err:
        text = " ".join(text_of(raw.record.get(name)) for name in form.names.question)[:2000]
        topic = text_of(raw.record.get(form.names.topic)) if form.names.topic else ""
        return Dropped(id=place, topic=topic, reason=err.reason, detail=f"{place}: {err}", text=text)


def _question(record: dict[str, Any], form: Form) -> Question:
    kind, names = KINDS[form.kind], form.names
    flat = kind.unfold(record)
    text = "\n\n".join(part for name in names.question if (part := text_of(flat.get(name)).strip()))
    if not text:
        raise Flaw("no_question", f"nothing in {' and '.join(names.question)}")
    if len(text) > MOST_CHARS:
        raise Flaw("too_long", f"{len(text):,} characters, at most {MOST_CHARS:,}")
    topic = text_of(flat.get(names.topic)) if names.topic else ""
    choices = choices_of(flat, names.choices) if _is_lettered(flat, form) else Choices(())
    given = flat.get(names.answer) if names.answer else None
    if choices.texts:
        answer = letter = letter_of(choices, flat.get(names.letter) if names.letter else None, given)
    else:
        answer, letter = (kind.answer(given) if names.answer else None), None
    if answer is None and kind.answered and (names.answer or names.letter):
        raise Flaw("no_answer", f"none in {names.letter or names.answer}")
    level = level_of(flat.get(names.level)) if names.level else None
    _wanted_level(level, form)
    return Question(
        id=id_of(topic, text, choices.texts), topic=topic, question=text, choices=choices.texts,
        truth=letter,  # pyright: ignore[reportArgumentType]
        key=None, source="file", check="unchecked", answer=_wanted_answer(answer, form), level=level,
        name=(text_of(flat.get(names.id)) or None) if names.id else None, fields=record,
    )  # fmt: skip


def id_of(topic: str, text: str, choices: tuple[str, ...] = ()) -> str:
    """An id from the content, whatever blanks part its words; 1 + 2 and 1 - 2 are two questions."""
    parts = (" ".join(part.split()) for part in (topic, text, *choices))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:12]


def _is_lettered(flat: Any, form: Form) -> bool:
    """A task of BIG-bench has choices or it has none; a field that the recipe names must be there."""
    return bool(form.names.choices) and (form.kind != "bigbench" or form.names.choices[0] in flat)


def _wanted_level(level: str | None, form: Form) -> None:
    if form.levels and level not in form.levels:
        raise Flaw("other_level" if level else "no_level", f"level {level}, wanted {', '.join(form.levels)}")


def _wanted_answer(answer: str | None, form: Form) -> str | None:
    """The answer as it is; a whole number as it is written shortest, where only those are wanted.

    Source: plan 003, which clipped negative answers to 0 and large ones to 99999, and so invented answers.
    """
    integers = form.integers or KINDS[form.kind].integers
    if integers is None:
        return answer
    found = _WHOLE.fullmatch(latex.tidy(answer)) if answer else None
    if found is None:
        raise Flaw("not_an_integer", f"the answer is {answer or 'missing'}"[:200])
    if not integers[0] <= int(found[1]) <= integers[1]:
        raise Flaw("out_of_range", f"the answer is {answer}, wanted {integers[0]:,} to {integers[1]:,}")
    return str(int(found[1]))
