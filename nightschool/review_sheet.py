"""Rows that wait for a person as a spreadsheet, and back: CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from nightschool.errors import DataError
from nightschool.records import LETTERS
from nightschool.report.text import visible
from nightschool.review import Case, Decision, decide

# What a person fills in; the rest is there to be read, and `content` says which row it is.
FILLED = ("decision", "reasoning", "note")
_READ = ("content", "row", "topic", "question", "choices", "leading", "votes")
REJECT = "reject"
# What a spreadsheet may take for a formula at the start of a cell, and the mark that stops it.
_FORMULA, _MARK = ("=", "+", "-", "@", "\t", "\r", "\n"), "'"
# A cell of a spreadsheet holds 32,767 characters.
_MOST_CHARS = 30_000
_MOST_WRONG = 12


@dataclass(frozen=True, slots=True)
class _Wrong(Exception):
    field: str
    value: str
    why: str


def write(cases: Sequence[Case]) -> str:
    """One line for each row, with what every teacher said; the columns `decision`, `reasoning` and `note` are empty."""
    teachers = list(dict.fromkeys(voice.teacher for case in cases for voice in case.voices))
    file = io.StringIO(newline="")
    lines = csv.writer(file)
    lines.writerow([*map(_safe, (*FILLED, *_READ)), *(_safe(f"{teacher} says") for teacher in teachers)])
    for case in cases:
        said = {voice.teacher: voice.reasoning for voice in case.voices}
        cells = ["", "", "", *_told(case), *(said.get(teacher, "") for teacher in teachers)]
        lines.writerow([_safe(cell) for cell in cells])
    return file.getvalue()


def _told(case: Case) -> list[str]:
    asked = case.ruling.question
    lettered = [f"{letter}) {text}" for letter, text in zip(LETTERS, asked.choices, strict=False)]
    choices = " | ".join(lettered or case.options)
    votes = ", ".join(f"{voice.teacher}: {voice.answer or '-'}" for voice in case.voices)
    return [case.content, case.ruling.id, asked.topic, asked.question, choices, case.leading or "", votes]


def read(text: str, cases: Sequence[Case], *, file: str, who: str, when: datetime, night: str) -> list[Decision]:
    """The decisions in a sheet: an answer, or "reject"; a line whose `decision` is empty decides nothing.

    Args:
        text: as a spreadsheet saves it, with commas or semicolons.
        cases: the rows that may be decided; others are refused, however they came into the sheet.

    Raises:
        DataError: names every bad line with field and value; then no line counts.
    """
    known = {case.content: case for case in cases}
    found: dict[str, Decision] = {}
    wrong: list[str] = []
    for line, cells in _lines(text, file):
        if not cells["decision"].strip():
            continue
        try:
            case = known.get(cells["content"].strip())
            if case is None:
                raise _Wrong("content", cells["content"], "no row of this night that waits")
            if case.content in found:
                raise _Wrong("content", cells["content"], "another line decides this row too")
            found[case.content] = _decision(case, cells, who=who, when=when, night=night)
        except _Wrong as err:
            wrong.append(f"line {line}: {err.field}: {err.why} (got {err.value!r:.80})")
    if wrong:
        more = [f"and {len(wrong) - _MOST_WRONG} more"] if len(wrong) > _MOST_WRONG else []
        raise DataError("\n".join(["nothing was taken in:", *wrong[:_MOST_WRONG], *more]), file=file)
    return list(found.values())


def _decision(case: Case, cells: Mapping[str, str], *, who: str, when: datetime, night: str) -> Decision:
    answer = None if cells["decision"].strip().casefold() == REJECT else cells["decision"]
    words = {"reasoning": cells["reasoning"], "note": cells["note"]}
    try:
        return decide(case, who=who, when=when, night=night, answer=answer, **words)
    except ValueError as err:
        field, _, why = str(err).partition(": ")
        field = "decision" if field == "answer" else field
        raise _Wrong(field, cells[field], why) from None


def _lines(text: str, file: str) -> list[tuple[int, dict[str, str]]]:
    """Cells by column's name, with the line on which each row ends."""
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    names: list[str] = []
    found: list[tuple[int, dict[str, str]]] = []
    try:
        for cells in reader:
            if not names:
                names = [cell.strip() for cell in cells]
                if missing := [name for name in ("content", *FILLED) if name not in names]:
                    raise DataError(f"the sheet lacks the column {', '.join(missing)}", file=file, line=1)
            elif any(cells):
                filled = {name: _plain(cell) for name, cell in zip(names, cells, strict=False)}
                found.append((reader.line_num, dict.fromkeys(names, "") | filled))
    except csv.Error as err:
        raise DataError(f"no CSV: {err}", file=file, line=reader.line_num) from None
    if not names:
        raise DataError("the sheet is empty", file=file)
    return found


def _safe(cell: str) -> str:
    shown = visible(cell[:_MOST_CHARS])
    return f"{_MARK}{shown}" if shown.startswith(_FORMULA) else shown


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith(_MARK) and cell[1:].startswith(_FORMULA) else cell
