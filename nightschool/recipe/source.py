"""From YAML text to plain data, with the place that every value came from."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nightschool.errors import RecipeError

FieldPath = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 24
MAX_TEXT = 200_000  # of a value; a prompt's text in a resolved recipe is one
MAX_KEY = 200
MAX_VALUES = 20_000  # aliases counted as often as they are used: no bomb gets past it
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file, or the `--set` that gave it (then without a line)."""

    file: str
    line: int | None = None


@dataclass(slots=True)
class Tree:
    """Plain data and the place of every value in it."""

    data: object
    places: dict[FieldPath, Place] = field(default_factory=dict)

    def place(self, path: FieldPath) -> Place:
        """The place of a value, or of the nearest thing around it that was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


class RecipeLoader(yaml.SafeLoader):
    """Scalars as in YAML 1.2's core schema: `no` and `on` are words, 1e-3 is a number, dates are text."""

    yaml_implicit_resolvers = {}


class RecipeDumper(yaml.SafeDumper):
    """Writes what `RecipeLoader` reads back."""

    yaml_implicit_resolvers = {}


for _kind in (RecipeLoader, RecipeDumper):
    _kind.add_implicit_resolver(f"{_TAG}null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
    _kind.add_implicit_resolver(f"{_TAG}bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
    _kind.add_implicit_resolver(f"{_TAG}int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789"))
    _kind.add_implicit_resolver(
        f"{_TAG}float",
        re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|nan)$"),
        list("-+.0123456789"),
    )
    _kind.add_implicit_resolver(f"{_TAG}merge", re.compile(r"^<<$"), ["<"])


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Only double quotes escape the line breaks that YAML would otherwise turn into plain ones.
    odd = re.search(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe]", text)
    style = '"' if odd else "|" if "\n" in text else None
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


RecipeDumper.add_representer(str, _represent_text)


def read_tree(path: Path) -> Tree:
    """Read a recipe or a profile.

    Raises:
        RecipeError: missing, too large, no UTF-8, no YAML, or YAML with tags, merge keys or repeated keys.
    """
    try:
        if not path.is_file():
            raise RecipeError("there is no such file" if not path.exists() else "this is no file", file=path)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise RecipeError("file is too large", file=path, allowed=f"at most {MAX_BYTES:,} bytes")
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise RecipeError(f"file cannot be read: {err}", file=path) from None
    tree = parse(text, str(path))
    if not isinstance(tree.data, dict):
        raise RecipeError("the file must be a mapping of sections", file=path, line=1)
    return tree


def parse(text: str, file: str, *, lines: bool = True) -> Tree:
    """Read one YAML document; `lines=False` for text that has no lines worth naming, such as a `--set`.

    Raises:
        RecipeError: as `read_tree`, with line and column for what is no YAML.
    """
    reader = _Reader(file, lines)
    try:
        reader.refuse_tags_and_depth(text)
        node = yaml.compose(text, RecipeLoader)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark and lines else file
        raise RecipeError(f"not YAML: {err.problem or err.context}", file=where) from None
    except yaml.YAMLError as err:
        raise RecipeError(f"not YAML: {' '.join(str(err).split())}", file=file) from None
    if node is None:
        return Tree(None, {(): Place(file, 1 if lines else None)})
    data = reader.value(node, ())
    return Tree(data, reader.places)


class _Reader:
    def __init__(self, file: str, lines: bool) -> None:
        self.file, self.lines, self.count = file, lines, 0
        self.places: dict[FieldPath, Place] = {}

    def error(self, message: str, node: yaml.Node | yaml.Event, path: FieldPath = (), **details: str) -> RecipeError:
        place = self._place(node)
        return RecipeError(message, file=place.file, line=place.line, field=dotted(path) or None, **details)

    def _place(self, node: yaml.Node | yaml.Event) -> Place:
        mark = node.start_mark
        return Place(self.file, mark.line + 1 if self.lines and mark else None)

    def refuse_tags_and_depth(self, text: str) -> None:
        # Before anything is composed: the composer is recursive, the scanner is not.
        depth = 0
        for event in yaml.parse(text, RecipeLoader):
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > MAX_DEPTH:
                    raise self.error("nested too deep", event, allowed=f"{MAX_DEPTH} levels")
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            if getattr(event, "tag", None) is not None:
                raise self.error("YAML tags are not read", event, value=event.tag)  # pyright: ignore

    def value(self, node: yaml.Node, path: FieldPath) -> object:
        self.count += 1
        if self.count > MAX_VALUES or len(path) > MAX_DEPTH:
            raise self.error("too many values once aliases are expanded", node, allowed=f"{MAX_VALUES:,} values")
        self.places[path] = self._place(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                raise self.error("merge keys are not read; a profile does that", key, path)
            if not isinstance(key, yaml.ScalarNode):
                raise self.error("a key must be a word", key, path)
            name = str(key.value)
            if len(name) > MAX_KEY:
                raise self.error("key is too long", key, (*path, name), allowed=f"{MAX_KEY} characters")
            if name in mapping:
                raise self.error("key is given twice", key, (*path, name))
            mapping[name] = self.value(value, (*path, name))
            self.places[(*path, name)] = self._place(key)
        return mapping

    def _scalar(self, node: yaml.Node, path: FieldPath) -> object:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "null" | "bool":
                return _WORDS[text]
            case "int":
                return int(text)
            case "float":
                number = float(text) if text[-1].isdigit() or text[-1] == "." else math.inf
                if math.isfinite(number):
                    return number
                raise self.error("not a finite number", node, path, value=text)
        if len(text) > MAX_TEXT:
            raise self.error("text is too long", node, path, allowed=f"{MAX_TEXT:,} characters")
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise self.error("text holds half a character (a lone surrogate)", node, path)
        return text


def child(data: Any, step: str | int) -> Any:
    """The value one step further in.

    Raises:
        LookupError: there is none.
    """
    if isinstance(data, list) and isinstance(step, int):
        return data[step]
    if isinstance(data, dict):
        return data[step]
    raise LookupError(step)


def dotted(path: FieldPath) -> str:
    """A path as a person writes it: teachers.0.name."""
    return ".".join(map(str, path))
