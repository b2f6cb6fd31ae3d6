"""Rows of a night that was disturbed beside those of one that was not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from blocks.scripted.texts import signature
from flows.drill.place import Rows
from nightschool.recipe.recipe import Recipe

_SIGNED = re.compile(r"\[asked under [0-9a-f]{8}\]")
# What may differ between two nights that ask the same.
_OF_ONE_NIGHT = {"latency_s", "attempts", "ttft_s", "itl_s", "e2el_s"}


def lost(known: Rows, found: Rows) -> int:
    """Rows that the other night has and this one has not."""
    return sum(len(_ids(rows) - _ids(found.get(name, []))) for name, rows in known.items())


def wrong(known: Rows, found: Rows) -> int:
    """Rows that are there and not as they should be: in another order, twice, or with other contents."""
    wrong = 0
    for name, rows in found.items():
        present = _ids(rows)
        wanted = [_plain(row) for row in known.get(name, []) if json.loads(row)["id"] in present]
        got = [_plain(row) for row in rows]
        wrong += abs(len(got) - len(wanted)) + sum(a != b for a, b in zip(got, wanted, strict=False))
    return wrong


def mixed(recipe: Recipe, rows: Rows) -> int:
    """Answers that were made under another system prompt than the recipe's, by what they say themselves."""
    wanted = signature(recipe.answers.prompt.system or "")
    answers = [row for name, found in rows.items() if name.startswith("answers/") for row in found]
    return sum(bool(signed := set(_SIGNED.findall(row))) and signed != {wanted} for row in answers)


def _ids(rows: Iterable[str]) -> set[str]:
    return {json.loads(row)["id"] for row in rows}


def _plain(row: str) -> object:
    """A row without what another night may have otherwise."""
    return _without(json.loads(_SIGNED.sub("", row)))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without(each) for name, each in value.items() if name not in _OF_ONE_NIGHT}
    return [_without(each) for each in value] if isinstance(value, list) else value
