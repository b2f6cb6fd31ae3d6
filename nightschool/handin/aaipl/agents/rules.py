"""The contest's rules, as contest.yaml has them: which records are handed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from agents.model import ROOT

Record = Mapping[str, Any]


def breach(record: Record, rules: Mapping[str, Any], count: Callable[[str], int]) -> str | None:
    """The first rule that a record breaks.

    Args:
        count: tokens of a text.
    """
    missing = [key for key in rules["keys"] if not record.get(key)]
    if missing:
        return f"no {', '.join(missing)}"
    lettered, letter = rules.get("lettered"), rules.get("letter")
    if lettered and (found := _choices(record[lettered["field"]], lettered)):
        return found
    if letter and record[letter["field"]] not in tuple(letter["letters"]):
        return f"{letter['field']} is no letter"
    for rule in rules.get("tokens", ()):
        total = sum(count(text) for field in rule["fields"] for text in _listed(record.get(field, "")))
        if total - rule.get("free", 0) >= rule["below"]:
            return f"too many tokens in {', '.join(rule['fields'])}"
    return None


def rules_of(kind: str) -> dict[str, Any]:
    """The rules of "questions" or "answers"."""
    return yaml.safe_load((ROOT / "contest.yaml").read_text(encoding="utf-8"))["files"][kind]


def write(path: Path, records: Sequence[Record]) -> None:
    """A list of records, as the contest reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _choices(choices: Sequence[str], rule: Mapping[str, Any]) -> str | None:
    if len(choices) != rule["count"]:
        return f"{len(choices)} choices"
    if any(not text.startswith(letter) for text, letter in zip(choices, rule["letters"], strict=True)):
        return "a choice without its letter"
    bare = [text[1:].lstrip(" ).:-").casefold() for text in choices]
    return None if all(bare) and len(set(bare)) == len(bare) else "choices that are empty or the same"


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
