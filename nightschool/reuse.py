"""From an earlier night and this one's recipe to what changed, and which phases each change makes anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightschool.lineage import lineage
from nightschool.prompts import Prompt
from nightschool.recipe.data_file import DataFile
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.section import Section, identity_of, is_execution

_MOST_CHARS = 40
_MOST_REASONS = 3


@dataclass(frozen=True)
class Past:
    """A night as it is on file: `engines` by model, `keys` by place, `rules` (their versions) by phase.

    `accepted` says of each phase that was accepted stale why it was; its `keys` are older than the recipe.
    """

    recipe: Recipe
    engines: Mapping[str, str]
    keys: Mapping[str, str]
    rules: Mapping[str, int] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)

    def pins(self, *phases: str) -> dict[str, str]:
        """The keys of these phases, by place."""
        return {place: key for place, key in self.keys.items() if _phase(place) in phases}


def reasons(past: Past, recipe: Recipe, engines: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    """Why each phase that the earlier night had is another one now: "prompts/answers.txt changed".

    Each change is made to the earlier recipe alone: what that renames, it is a reason for. A phase that is the same
    is not in it.

    Args:
        engines, keys: of the night of `recipe`.
    """
    causes = list(_causes(past, recipe, engines))
    found: dict[str, str] = {}
    for phase in dict.fromkeys(map(_phase, keys)):
        theirs = past.pins(phase)
        if not theirs or theirs == {place: key for place, key in keys.items() if _phase(place) == phase}:
            continue
        texts = [text for text, renamed in causes if phase in renamed]
        # What only several changes together bring about is told by all of them.
        texts = list(dict.fromkeys(texts or [text for text, _ in causes])) or ["what it is made of changed"]
        more = [f"{len(texts) - _MOST_REASONS} more"] if len(texts) > _MOST_REASONS else []
        found[phase] = "; ".join([*texts[:_MOST_REASONS], *more])
    return found


def _causes(past: Past, recipe: Recipe, engines: Mapping[str, str]) -> Iterator[tuple[str, set[str]]]:
    """Each difference in words, with the phases that it renames."""
    known = {**engines, **past.engines}
    before = lineage(past.recipe, known)
    for phase, why in past.accepted.items():
        yield why, _renamed(before, lineage(past.recipe, known, past.pins(phase)))
    here = lineage(past.recipe, known, past.pins(*past.accepted))
    if dict(here) != dict(past.keys):
        rules = past.rules
        newer = [
            f"{phase} {rules[phase]} -> {now}" for phase, now in here.rules.items() if rules.get(phase, now) != now
        ]
        yield f"nightschool's rules changed{': ' if newer else ''}{', '.join(newer)}", _renamed(here, past.keys)
    for name, engine in engines.items():
        if (was := past.engines.get(name, engine)) != engine:
            yield f"engine of {name} {was} -> {engine}", _renamed(before, lineage(past.recipe, {**known, name: engine}))
    for text, changed in _changes("", past.recipe, recipe):
        # Some changes make no night by themselves, such as dpo without its pairs.
        with suppress(KeyError):
            yield text, _renamed(before, lineage(changed, known))


def _renamed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {_phase(place) for place in {*before, *after} if before.get(place) != after.get(place)}


def _phase(place: str) -> str:
    return place.partition("/")[0]


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any]]:
    """Every single difference that is no mere execution: in words, and `old` with only that one changed."""
    if isinstance(old, Section) and type(old) is type(new) and not isinstance(old, DataFile):
        decisive = {name: info for name, info in type(old).model_fields.items() if not is_execution(info)}
        for name, info in decisive.items():
            inner = f"{path}.{info.alias or name}".lstrip(".")
            for text, value in _changes(inner, getattr(old, name), getattr(new, name)):
                yield text, old.model_copy(update={name: value})
    elif isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) and _sections(old, new):
        for place, pair in enumerate(zip(old, new, strict=True)):
            # One is mostly written without a list around it.
            for text, value in _changes(f"{path}.{place}" if len(old) > 1 else path, *pair):
                yield text, (*old[:place], value, *old[place + 1 :])
    elif identity_of(old) != identity_of(new):
        yield _told(path, old, new), new


def _sections(*values: tuple[Any, ...]) -> bool:
    return all(isinstance(one, Section) for value in values for one in value)


def _told(path: str, old: Any, new: Any) -> str:
    """One difference: a file by its name, a short value as it was and is."""
    if isinstance(old or new, Section) and None in (old, new):
        return f"{path} was {'left out' if new is None else 'added'}"
    if () in (old, new) and _sections(old or new):
        return f"{path} was {'left out' if new == () else 'added'}"
    before, after = _shown(old), _shown(new)
    if isinstance(new, (Prompt, DataFile)) and after:
        return f"{after} changed" if before in ("", after) or old is None else f"{path} {before} -> {after}"
    if before and after and max(len(before), len(after)) <= _MOST_CHARS:
        return f"{path} {before} -> {after}"
    return f"{path} changed"


def _shown(value: Any) -> str:
    if isinstance(value, Prompt):
        return value.file or ""
    if isinstance(value, DataFile):
        return ", ".join(Path(path).name for path in value.paths)
    if isinstance(value, tuple):
        return ", ".join(getattr(one, "name", None) or str(one) for one in value) or "none"
    return "" if isinstance(value, Section) else "none" if value is None else str(value)
