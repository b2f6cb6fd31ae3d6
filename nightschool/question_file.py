"""From a file of questions to the ones that are asked, in the file's order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nightschool.errors import DataError
from nightschool.pool import question_id
from nightschool.records import Dropped, Question

RULES_VERSION = 1

_KINDS = (".jsonl", ".json", ".csv")
_MOST_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """Questions in the file's order, and rows that are none, each with its reason."""

    questions: list[Question]
    dropped: list[Dropped]


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, record) of every row; in a .json file, which has one list, its place in it, from 1.

    Raises:
        DataError: not that kind of file, or a row that can't be read; names file and line.
        OSError: the file cannot be read.
    """
    if path.suffix not in _KINDS:
        raise DataError(f"a file of questions ends in {', '.join(_KINDS)}, not in {path.suffix!r}", file=path)
    data = path.read_bytes()
    rows = {".jsonl": _json_lines, ".json": _json_list, ".csv": _csv}[path.suffix](data, path)
    for line, record in rows:
        if not isinstance(record, dict):
            raise DataError("a row must be a record with named fields", file=path, line=line)
        yield line, record


def load(path: Path, *, question: str, answer: str | None, topic: str | None, limit: int | None = None) -> Loaded:
    """Every row of the file as a question, duplicates and rows without a question dropped.

    Args:
        question, answer, topic: names of the fields that hold them; a row without an answer is asked all the same.
        limit: only the first so many rows.

    Raises:
        DataError: the file can't be read, or no row has the field that is to hold the question.

    Source: plan 004, deepscaler_train.json.
    """
    found = Loaded([], [])
    seen: set[str] = set()
    fields: set[str] = set()
    for number, (line, record) in enumerate(read_records(path), start=1):
        if limit is not None and number > limit:
            break
        fields |= record.keys()
        named = _text(record.get(topic)) if topic else ""
        text = _text(record.get(question))
        reason = "no_question" if not text.strip() else "too_long" if len(text) > _MOST_CHARS else ""
        row_id = question_id(named, text)
        if not reason and row_id in seen:
            reason = "duplicate"
        if reason:
            found.dropped.append(Dropped(id=f"line-{line}", topic=named, reason=reason, text=text[:2000]))
            continue
        seen.add(row_id)
        truth = _text(record.get(answer)) if answer else ""
        found.questions.append(_question(row_id, named, text, truth or None, record))
    if question not in fields:
        known = ", ".join(sorted(fields)[:20])
        raise DataError(f"no row has the field {question!r}; the rows have: {known}", file=path)
    return found


def _question(row_id: str, topic: str, text: str, answer: str | None, record: dict[str, Any]) -> Question:
    return Question(
        id=row_id, topic=topic, question=text, choices=(), truth=None, key=None, source="file", check="unchecked",
        answer=answer, fields=record,
    )  # fmt: skip


def _text(value: object) -> str:
    """A field as text; a number as it is written, nothing for null and for what is no single value."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (dict, list)) else orjson.dumps(value).decode()


def _json_lines(data: bytes, path: Path) -> Iterator[tuple[int, Any]]:
    for line, text in enumerate(data.split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            yield line, orjson.loads(text)
        except orjson.JSONDecodeError as err:
            raise DataError(f"not JSON: {err}", file=path, line=line) from None


def _json_list(data: bytes, path: Path) -> Iterator[tuple[int, Any]]:
    try:
        rows = orjson.loads(data)
    except orjson.JSONDecodeError as err:
        raise DataError(f"not JSON: {err.msg}", file=path, line=err.lineno) from None
    if not isinstance(rows, list):
        raise DataError("the file must be one list of records", file=path)
    yield from enumerate(rows, start=1)


def _csv(data: bytes, path: Path) -> Iterator[tuple[int, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        for record in reader:
            if None in record or None in record.values():
                raise DataError("a row has more or fewer fields than the first line", file=path, line=reader.line_num)
            yield reader.line_num, record
    except (UnicodeDecodeError, csv.Error) as err:
        raise DataError(f"not CSV: {err}", file=path) from None
