"""From a lesson to the row of a format, and the columns that all rows of a format have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nightschool.exports.cells import guarded
from nightschool.exports.lesson import Lesson
from nightschool.records import PreferenceRow

FormatName = Literal["verl", "trl", "chatml", "sharegpt", "datasets", "csv", "jsonl"]
Suffix = Literal[".parquet", ".jsonl", ".csv", ""]

_TEXT, _WHOLE, _NUMBER = "text", "whole", "number"
# Of a column: a kind, a list of something, or a record of columns.
Columns = Mapping[str, Any]
_TURNS: list[Columns] = [{"role": _TEXT, "content": _TEXT}]
_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how its files end ("" is a folder of the datasets library), its columns, and a lesson as its row.

    `imitates`: rows without a text to imitate have no place in it. `weighs`: it has a place for their weights.
    """

    suffix: Suffix
    columns: Columns
    row: Callable[[Lesson, int, str], dict[str, Any]]
    imitates: bool = False
    weighs: bool = False


def _turns(lesson: Lesson) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in lesson.prompt]


def _said(lesson: Lesson) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": lesson.completion}]


def _verl(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    """verl's train data: plain content, for verl fills the chat template itself.

    Source: verl 0.9, examples/data_preprocess; plan 004, whose content was templated already, and whose level and
    extra_info had another type in every second row.
    """
    return {
        "data_source": data_source,
        "prompt": _turns(lesson),
        "ability": lesson.ability,
        "reward_model": {"style": "rule", "ground_truth": lesson.target},
        "extra_info": {
            "index": index, "split": lesson.side, "id": lesson.id, "question_id": lesson.question_id,
            "name": lesson.name, "question": lesson.question, "topic": lesson.topic, "level": lesson.level,
            "answer": lesson.answer, "weight": lesson.weight, "teacher": lesson.teacher, "sample": lesson.sample,
            "solution": lesson.solution if lesson.solution is not None else lesson.completion or None,
            "value": lesson.value,
        },
    }  # fmt: skip


def _trl(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    return {"prompt": _turns(lesson), "completion": _said(lesson)}


def _chatml(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    return {"id": lesson.id, "messages": [*_turns(lesson), *_said(lesson)]}


def _sharegpt(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    turns = [*_turns(lesson), *_said(lesson)]
    return {"id": lesson.id, "conversations": [{"from": _SHAREGPT[turn["role"]], "value": turn["content"]}
                                               for turn in turns]}  # fmt: skip


def _flat(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    return {
        "id": lesson.id, "name": lesson.name, "question": lesson.question, "choices": list(lesson.choices),
        "answer": lesson.target, "prompt": _turns(lesson), "completion": lesson.completion or lesson.solution or "",
        "topic": lesson.topic, "level": lesson.level, "source": lesson.source, "by": lesson.by,
        "agreement": lesson.agreement, "weight": lesson.weight, "side": lesson.side, "data_source": data_source,
    }  # fmt: skip


def _kaggle(lesson: Lesson, index: int, data_source: str) -> dict[str, Any]:
    return {"id": guarded(lesson.name or lesson.question_id), "answer": guarded(lesson.filed)}


_FLAT: Columns = {
    "id": _TEXT, "name": _TEXT, "question": _TEXT, "choices": [_TEXT], "answer": _TEXT, "prompt": _TURNS,
    "completion": _TEXT, "topic": _TEXT, "level": _TEXT, "source": _TEXT, "by": _TEXT, "agreement": _NUMBER,
    "weight": _NUMBER, "side": _TEXT, "data_source": _TEXT,
}  # fmt: skip

FORMATS: dict[FormatName, Format] = {
    "verl": Format(
        ".parquet",
        {
            "data_source": _TEXT, "prompt": _TURNS, "ability": _TEXT,
            "reward_model": {"style": _TEXT, "ground_truth": _TEXT},
            "extra_info": {
                "index": _WHOLE, "split": _TEXT, "id": _TEXT, "question_id": _TEXT, "name": _TEXT, "question": _TEXT,
                "topic": _TEXT, "level": _TEXT, "answer": _TEXT, "weight": _NUMBER, "teacher": _TEXT,
                "sample": _WHOLE, "solution": _TEXT, "value": _TEXT,
            },
        },
        _verl,
        weighs=True,
    ),
    "trl": Format(".jsonl", {"prompt": _TURNS, "completion": _TURNS}, _trl, imitates=True),
    "chatml": Format(".jsonl", {"id": _TEXT, "messages": _TURNS}, _chatml, imitates=True),
    "sharegpt": Format(".jsonl", {"id": _TEXT, "conversations": [{"from": _TEXT, "value": _TEXT}]}, _sharegpt,
                       imitates=True),
    "datasets": Format("", _FLAT, _flat, weighs=True),
    "csv": Format(".csv", {"id": _TEXT, "answer": _TEXT}, _kaggle),
    "jsonl": Format(".jsonl", _FLAT, _flat, weighs=True),
}  # fmt: skip

PREFERENCE: Columns = {"prompt": _TURNS, "chosen": _TURNS, "rejected": _TURNS}


def preference(row: PreferenceRow) -> dict[str, Any]:
    """TRL's columns of a pair."""
    sides = {"prompt": row.prompt, "chosen": row.chosen, "rejected": row.rejected}
    return {name: [{"role": turn.role, "content": turn.content} for turn in turns] for name, turns in sides.items()}
