"""From an earlier night's recipe and keys and this one's to what is used again, what is made anew, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nightschool.recipe.recipe import Recipe

# What decides rows of more than one phase.
_SHARED = ("seed", "topics", "school", "serve", "teachers", "student")
_MOST_CHARS = 40


def verdicts(
    old: Recipe, old_keys: Mapping[str, str], new: Recipe, new_keys: Mapping[str, str], phases: Sequence[str]
) -> dict[str, str]:
    """For each phase in order: "reuse", "new", or "redo, because answers.temperature 0.7 -> 0.9"."""
    before, after = dict(_flat("", old.identity())), dict(_flat("", new.identity()))
    changed = [path for path in dict.fromkeys([*before, *after]) if before.get(path) != after.get(path)]
    found: dict[str, str] = {}
    for phase in phases:
        mine, theirs = (_of(keys, phase) for keys in (new_keys, old_keys))
        if mine == theirs:
            found[phase] = "reuse"
        elif not theirs:
            found[phase] = "new"
        else:
            section = "validate_" if phase in ("validate", "timing") else phase
            own = [path for path in changed if path.split(".")[0] == section]
            shared = [path for path in changed if path.split(".")[0] in _SHARED]
            redone = [name for name, verdict in found.items() if verdict.startswith("redo")]
            reasons = [_told(path, before.get(path), after.get(path)) for path in own or ([] if redone else shared)]
            reasons = reasons or [f"{redone[-1]} changed upstream" if redone else "its rules or engine changed"]
            found[phase] = f"redo, because {'; '.join(reasons[:3])}"
    return found


def _of(keys: Mapping[str, str], phase: str) -> dict[str, str]:
    return {place: key for place, key in keys.items() if place.partition("/")[0] == phase}


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _flat(f"{path}.{place}", inner)
    else:
        yield path, value


def _told(path: str, before: object, after: object) -> str:
    name = path.replace("validate_", "validate")
    short = all(len(str(value)) <= _MOST_CHARS for value in (before, after))
    return f"{name} {before} -> {after}" if short else f"{name} changed"
