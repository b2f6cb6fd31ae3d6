"""From a contestant's file to its records, in whatever notation it came: JSON, JSON lines, Python's, CSV."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from nightschool.contest import Breach, Contest, Count, FileRules, breaches, repeated
from nightschool.contest_sample import Sample, against, sample_of, unknown
from nightschool.errors import DataError, RecipeError
from nightschool.parsing import Rejected, parse_json
from nightschool.recipe.explain import explain
from nightschool.recipe.source import read_tree

_MOST_BYTES = 200_000_000
_MOST_PYTHON_CHARS = 10_000_000


class _Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True, slots=True)
class Judged:
    """One record of a file: where it stands (its line, or its place in a list, from 1), and the rules it breaks."""

    place: int
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A file against a contest's rules; `unchecked` are the rules for which something was lacking.

    `whole`: what the file as a whole breaks, of the sample that it was held against.
    """

    kind: str
    rows: tuple[Judged, ...]
    least_valid: float
    unchecked: tuple[str, ...] = field(default=())
    whole: tuple[Breach, ...] = ()

    @property
    def valid(self) -> int:
        """Rows that break no rule."""
        return sum(not row.breaches for row in self.rows)

    @property
    def taken(self) -> bool:
        """Whether the contest would take the file's valid rows."""
        return bool(self.valid) and self.valid >= self.least_valid * len(self.rows) and not self.whole


def load_contest(path: Path) -> Contest:
    """The rules of a contest.

    Raises:
        RecipeError: the file is not as it must be; names line and field.
    """
    tree = read_tree(path)
    try:
        return Contest.model_validate_json(orjson.dumps(tree.data), strict=True)
    except ValidationError as err:
        raise explain(err, tree, Contest.model_json_schema()) from None


def find_contest(name: str, folder: Path = Path()) -> Path:
    """A contest's file by its path, seen from a folder, or by its name in configs/contests/, here or in the checkout.

    Raises:
        RecipeError: neither is there; names the contests that are.
    """
    if (folder / name).is_file():
        return folder / name
    folders = [Path(__file__).parents[1] / "configs" / "contests", Path("configs") / "contests"]
    known = {file.stem: file for one in folders for file in sorted(one.glob("*.yaml"))}
    if name not in known:
        raise RecipeError("there is no such contest", value=name, allowed=", ".join(known) or "a file")
    return known[name]


def read_sample(path: Path, rules: FileRules) -> Sample:
    """A contest's sample file.

    Raises:
        DataError: the file cannot be read, holds no record, or lacks the column that tells rows apart.
    """
    records = [record for _, record in _records(path) if isinstance(record, dict)]
    sample = sample_of(records, rules)
    if not records or (rules.distinct and len(sample.ids) < len(records)):
        raise DataError(f"no sample: its rows have no {rules.distinct or 'columns'}", file=path)
    return sample


def judge_file(
    path: Path,
    contest: Contest,
    *,
    kind: str | None = None,
    count: Count | None = None,
    sample: Path | None = None,
) -> Judgement:
    """Every record of a file against the rules of its kind.

    Args:
        kind: as in the contest's `files`; None goes by the keys of the first record that can be read.
        count: tokens of a text; None leaves the rules of tokens unchecked.
        sample: the contest's own sample file, whose columns and ids the file must have.

    Raises:
        RecipeError: the contest has no such kind.
        DataError: the file cannot be read, or holds no record at all.

    Source: plan 000, 5.2.
    """
    if kind is not None and kind not in contest.files:
        raise RecipeError("no such kind of file", field="--kind", value=kind, allowed=", ".join(contest.files))
    found = list(_records(path))
    records = [record for _, record in found if isinstance(record, dict)]
    if not found:
        raise DataError("the file holds no record", file=path)
    kind = kind or (contest.kind_of(records[0]) if records else next(iter(contest.files)))
    rules = contest.files[kind]
    twice = repeated([record if isinstance(record, dict) else {} for _, record in found], rules)
    shown = read_sample(sample, rules) if sample else None
    wanted = frozenset(shown.ids) if shown and rules.distinct else None
    rows = tuple(
        Judged(place, (*_broken(record, rules, count, wanted), *([twice[nth]] if nth in twice else [])))
        for nth, (place, record) in enumerate(found)
    )
    unchecked = () if count or not rules.tokens else ("too_many_tokens",)
    return Judgement(kind, rows, rules.least_valid, unchecked, tuple(against(records, rules, shown)) if shown else ())


def _broken(
    record: dict[str, Any] | str, rules: FileRules, count: Count | None, wanted: frozenset[str] | None
) -> list[Breach]:
    if isinstance(record, str):
        return [Breach("not_a_record", record)]
    return [*breaches(record, rules, count=count), *(unknown(record, rules, wanted) if wanted is not None else [])]


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(place, record), or why there is none at that place."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"more than {_MOST_BYTES:,} bytes", file=path)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as err:
        raise DataError(f"cannot be read: {err.strerror}", file=path) from None
    except UnicodeDecodeError as err:
        raise DataError(f"not UTF-8: {err.reason} at byte {err.start}", file=path) from None
    if path.suffix == ".csv":
        yield from _csv(text, path)
        return
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        whole = _python_list(text)
    if whole is None:
        yield from ((line, _read(one)) for line, one in enumerate(text.splitlines(), start=1) if one.strip())
        return
    for place, one in enumerate(whole if isinstance(whole, list) else [whole], start=1):
        yield place, one if isinstance(one, dict) else _read(one) if isinstance(one, str) else f"{one!r:.80}"


def _python_list(text: str) -> list[Any] | None:
    """A whole list in Python's notation; literals only, nothing is evaluated."""
    if not text.lstrip().startswith("[") or len(text) > _MOST_PYTHON_CHARS:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _read(text: str) -> dict[str, Any] | str:
    """A record out of a line: JSON, or a dictionary as Python prints it."""
    found = parse_json(text.strip().strip(","), _Anything)
    return found.detail if isinstance(found, Rejected) else dict(found.model_extra or {})


def _csv(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        for record in reader:
            torn = None in record or None in record.values()
            yield reader.line_num, "more or fewer fields than the first line" if torn else dict(record)
    except csv.Error as err:
        raise DataError(f"not CSV: {err}", file=path) from None
