"""From the names of files and folders to rows: every kind that is read, a folder of the datasets library among them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nightschool.errors import DataError
from nightschool.sources import tables, texts
from nightschool.sources.raw import Raw

KINDS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow")
_IN_WORDS = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
_CANARY = b"canary guid"
# A canary stands at the head of a file, or in its first rows.
_HEAD_BYTES = 100_000


def files_of(paths: Sequence[Path], split: str | None) -> list[Path]:
    """The files that hold the rows, in the order in which they are read.

    A folder is one that the datasets library saved or cached, or one of files of the kinds above, by their names.

    Raises:
        DataError: a file of another kind, a folder without any, a split that is not there or not chosen.
        OSError: nothing is there.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += _folder(path, split)
        elif path.suffix.lower() in KINDS:
            path.stat()
            found.append(path)
        else:
            path.stat()
            raise DataError(f"a file of questions ends in {_IN_WORDS}, not in {path.suffix!r}", file=path)
    return found


def read(files: Sequence[Path], *, encoding: str = "utf-8", place: str | None = None) -> Iterator[Raw]:
    """The rows of all files, as they are found.

    Args:
        place: where the list of rows lies in a JSON document, names parted by dots.

    Raises:
        DataError: not that kind of file; names file and line.
        OSError: a file cannot be read.
    """
    alone = len(files) > 1
    readers: dict[str, Callable[[Path], Iterator[Raw]]] = {
        ".jsonl": lambda path: texts.json_lines(path, encoding),
        ".json": lambda path: texts.json_document(path, encoding, place, alone=alone),
        ".csv": lambda path: texts.table(path, encoding),
        ".tsv": lambda path: texts.table(path, encoding),
        ".parquet": tables.parquet,
        ".arrow": tables.arrow,
    }
    for path in files:
        yield from readers[path.suffix.lower()](path)


def digest(files: Sequence[Path]) -> str:
    """SHA-256 of a file's bytes; of several files, of their digests in order."""
    each: list[str] = []
    for path in files:
        with path.open("rb") as file:
            each.append(hashlib.file_digest(file, "sha256").hexdigest())
    return each[0] if len(each) == 1 else hashlib.sha256("\n".join(each).encode()).hexdigest()


def has_canary(files: Sequence[Path]) -> bool:
    """Whether a file asks to be kept out of training, as BIG-bench's do."""
    for path in files:
        with path.open("rb") as file:
            if _CANARY in file.read(_HEAD_BYTES).lower():
                return True
    return False


def _folder(folder: Path, split: str | None) -> list[Path]:
    if (folder / "dataset_dict.json").is_file():
        splits = [str(name) for name in _json(folder / "dataset_dict.json").get("splits", [])]
        return _saved(folder / _chosen(folder, splits, split))
    if (folder / "state.json").is_file():
        return _saved(folder)
    if (folder / "dataset_info.json").is_file():
        return _cached(folder, split)
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and _shown(path, folder))
    if split is not None:
        found = [
            path for path in found if re.match(rf"{re.escape(split)}\b", path.name) or split in _parents(path, folder)
        ]
    if not found:
        what = "no file of questions" if split is None else f"no file of the split {split!r}"
        raise DataError(f"there is {what} in this folder ({_IN_WORDS})", file=folder)
    return found


def _saved(folder: Path) -> list[Path]:
    """A data set as Dataset.save_to_disk left it."""
    names = [str(file["filename"]) for file in _json(folder / "state.json").get("_data_files", [])]
    if not names:
        raise DataError("this data set has no rows", file=folder)
    return [folder / Path(name).name for name in names]


def _cached(folder: Path, split: str | None) -> list[Path]:
    """A data set as load_dataset left it in its cache: `NAME-SPLIT.arrow`, or `NAME-SPLIT-00000-of-00002.arrow`."""
    by_split: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.arrow")):
        name = re.sub(r"-\d{5}-of-\d{5}$", "", path.stem).rpartition("-")[2]
        by_split.setdefault(name, []).append(path)
    return by_split[_chosen(folder, list(by_split), split)]


def _chosen(folder: Path, splits: Sequence[str], split: str | None) -> str:
    if split is None and len(splits) == 1:
        return splits[0]
    if split in splits:
        return str(split)
    known = ", ".join(splits) or "none"
    raise DataError(f"which split is meant (pool.split)? This data set has: {known}", file=folder)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as err:
        raise DataError(f"not JSON: {err}", file=path) from None
    return found if isinstance(found, dict) else {}


def _shown(path: Path, folder: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _parents(path: Path, folder: Path) -> tuple[str, ...]:
    return path.relative_to(folder).parts[:-1]
