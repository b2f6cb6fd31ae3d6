"""From a pydantic error to one line that says where, what and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import reduce
from typing import Any

from pydantic import ValidationError

from nightschool.errors import RecipeError, RecipeErrors
from nightschool.recipe.section import Clash
from nightschool.recipe.source import FieldPath, Place, Tree, child, dotted

SECRETS = ("api_key", "apikey", "key", "token", "secret", "password")
_KINDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text",
          "array": "a list", "object": "a mapping", "null": "null"}  # fmt: skip
_LIMITS = {"minimum": "at least {:g}", "exclusiveMinimum": "more than {:g}", "maximum": "at most {:g}",
           "exclusiveMaximum": "less than {:g}", "pattern": "like {}", "minItems": "at least {} long"}  # fmt: skip
_MOST = 12  # one screen


def explain(error: ValidationError, tree: Tree, schema: dict[str, Any]) -> RecipeError:
    """Turn what pydantic found into one error, one line for each field."""
    found: dict[FieldPath, RecipeError] = {}
    details = error.errors(include_url=False)
    for detail in details:
        # A list all of whose items are wrong is no shorter than it was.
        if detail["type"] == "too_short" and any(other["loc"][: len(detail["loc"])] == detail["loc"]
                                                 for other in details if other is not detail):  # fmt: skip
            continue
        path = _real_path(detail["loc"], tree.data, detail["type"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Clash):
            path = _as_written((*path, *cause.path), tree.data)
        if path not in found:
            found[path] = _one(detail, cause, path, tree, schema)
    errors = [found[path] for path in sorted(found, key=lambda path: _written_order(tree, path))]
    if len(errors) > _MOST:
        errors[_MOST:] = [RecipeError(f"and {len(errors) - _MOST} more")]
    return errors[0] if len(errors) == 1 else RecipeErrors(errors)


def _written_order(tree: Tree, path: FieldPath) -> tuple[str, int]:
    place = tree.place(path)
    return place.file, place.line or 0


def _real_path(loc: tuple[str | int, ...], data: object, kind: str) -> FieldPath:
    # pydantic puts the branch of a union into the path ("str", "tuple[str, ...]"): only what is in the data stays.
    path: list[str | int] = []
    for step in loc:
        try:
            data = child(data, step)
        except LookupError:
            if kind != "missing":
                continue
        path.append(step)
    return tuple(path)


def _as_written(path: FieldPath, data: object) -> FieldPath:
    """Without the place in a list where a recipe gives one mapping instead of a list of one."""
    for depth, step in enumerate(path):
        inner = _at(data, path[:depth])
        if isinstance(step, int) and isinstance(inner, dict):
            return _as_written((*path[:depth], *path[depth + 1 :]), data)
    return path


def _one(detail: Any, cause: object, path: FieldPath, tree: Tree, schema: dict[str, Any]) -> RecipeError:
    place = tree.place(path)
    allowed: str | None = allowed_at(schema, path)
    value = _shown(_at(tree.data, path))
    match detail["type"]:
        case "missing":
            message, value = "is missing", None
        case "extra_forbidden":
            message, allowed, value = _unknown_key(path, value, schema)
        case "value_error":
            message = str(cause)
            allowed = cause.allowed if isinstance(cause, Clash) else None
            if isinstance(cause, Clash) and cause.secret:  # what gave it may be a --set that repeats it
                value, place = None, Place(place.file.partition("=")[0], place.line)
        case "literal_error":
            message = "unknown value" + close_to(_at(tree.data, path), options(subschema(schema, path)))
        case "string_pattern_mismatch" | "finite_number":
            message = "is not allowed"
        case kind if kind.endswith(("_type", "_parsing", "_from_float")):
            message = "has the wrong type"
        case kind if kind.startswith(("greater_than", "less_than")):
            message = "is out of range"
        case _:
            message = str(detail["msg"])
    return RecipeError(message, file=place.file, line=place.line, field=dotted(path) or None, value=value,
                       allowed=allowed)  # fmt: skip


def _unknown_key(path: FieldPath, value: object, schema: dict[str, Any]) -> tuple[str, str, object]:
    name = str(path[-1])
    known = sorted(subschema(schema, path[:-1]).get("properties", {}))
    if name.casefold() in SECRETS and "key_env" in known:
        return "a key is never written in a recipe: name the environment variable that holds it in key_env", "", None
    return "unknown key" + close_to(name, known), ", ".join(known), value


def close_to(value: object, known: Iterable[str]) -> str:
    """The end of a message: what was probably meant, if anything."""
    close = get_close_matches(str(value), list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def _at(data: object, path: FieldPath) -> object:
    try:
        return reduce(child, path, data)
    except LookupError:
        return None


def _shown(value: object) -> object:
    return None if isinstance(value, (dict, list)) and len(str(value)) > 80 else value


def subschema(schema: Mapping[str, Any], path: FieldPath) -> dict[str, Any]:
    """The part of a JSON schema that speaks about a path; empty where it says nothing."""
    node: dict[str, Any] = _resolved(schema, schema)
    for step in path:
        branches = _branches(node, schema)
        inner = [branch["items"] if isinstance(step, int) else branch.get("properties", {}).get(step)
                 for branch in branches if not isinstance(step, int) or "items" in branch]  # fmt: skip
        node = next((_resolved(found, schema) for found in inner if found), {})
    return node


def _branches(node: Mapping[str, Any], schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a value may be, one by one."""
    return [_resolved(branch, schema) for branch in node.get("anyOf", node.get("oneOf", [node]))]


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        target = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    return dict(node)


def options(node: Mapping[str, Any]) -> list[str]:
    """The words that a value may be, where only some are."""
    inner = [option for branch in (*node.get("anyOf", ()), *node.get("oneOf", ())) for option in options(branch)]
    return [str(each) for each in node.get("enum", [node["const"]] if "const" in node else inner)]


def allowed_at(schema: Mapping[str, Any], path: FieldPath) -> str | None:
    """What may stand at a path, in words: "a whole number, 1 to 64"."""
    node = subschema(schema, path)
    branches = _branches(node, schema)
    return " or ".join(filter(None, (_in_words(branch) for branch in branches))) or None


def _in_words(node: Mapping[str, Any]) -> str:
    if choices := options(node):
        return ", ".join(choices)
    kind = node.get("type")
    limits = [words.format(node[name]) for name, words in _LIMITS.items() if name in node]
    return ", ".join(filter(None, [_KINDS.get(str(kind), ""), *limits, node.get("description", "")]))
