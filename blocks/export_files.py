"""From rows to a file of another program's kind, row by row: JSON lines, CSV, Parquet, a folder of datasets."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1_000
_ARROW = "data-00000-of-00001.arrow"


def write_rows(path: Path, rows: Iterable[dict[str, Any]], columns: Mapping[str, Any]) -> int:
    """Write rows in the way that the path's ending says, a folder of the datasets library if it has none; how many.

    Args:
        columns: by name, as in `nightschool.exports.shapes`; every row has all of them, so all files have one schema.

    Raises:
        OSError: the place cannot be written.
    """
    if path.suffix == ".jsonl":
        return _jsonl(path, rows)
    if path.suffix == ".csv":
        return _csv(path, rows, columns)
    return _parquet(path, rows, columns) if path.suffix == ".parquet" else _datasets(path, rows, columns)


def _jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("wb") as file:
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one counts
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return count


def _csv(path: Path, rows: Iterable[dict[str, Any]], columns: Mapping[str, Any]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(columns), lineterminator="\n")
        writer.writeheader()
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one counts
            writer.writerow(row)
    return count


def _parquet(path: Path, rows: Iterable[dict[str, Any]], columns: Mapping[str, Any]) -> int:
    import pyarrow.parquet  # a tenth of a second, for those who want such files

    count, schema = 0, _schema(columns)
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows, schema):
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def _datasets(folder: Path, rows: Iterable[dict[str, Any]], columns: Mapping[str, Any]) -> int:
    """What Dataset.save_to_disk leaves, written without the library: it brings torch along."""
    import pyarrow

    folder.mkdir()
    count, schema = 0, _schema(columns)
    with pyarrow.OSFile(str(folder / _ARROW), "wb") as file, pyarrow.ipc.new_stream(file, schema) as writer:
        for batch in _batches(rows, schema):
            writer.write_batch(batch)
            count += batch.num_rows
    with (folder / _ARROW).open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    state: dict[str, Any] = dict.fromkeys(("_format_columns", "_format_type", "_split"))
    state |= {"_data_files": [{"filename": _ARROW}], "_fingerprint": fingerprint, "_format_kwargs": {},
              "_output_all_columns": False}  # fmt: skip
    info = {"citation": "", "description": "", "features": None, "homepage": "", "license": ""}
    for name, content in (("state.json", state), ("dataset_info.json", info)):
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return count


def _batches(rows: Iterable[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow

    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, _BATCH_ROWS)):
        yield pyarrow.RecordBatch.from_pylist(batch, schema)


def _schema(columns: Mapping[str, Any]) -> pa.Schema:
    import pyarrow

    return pyarrow.schema([(name, _type(column)) for name, column in columns.items()])


def _type(column: Any) -> pa.DataType:
    import pyarrow

    if isinstance(column, list):
        return pyarrow.list_(_type(column[0]))
    if isinstance(column, Mapping):
        return pyarrow.struct([(name, _type(inner)) for name, inner in column.items()])
    return {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64()}[column]
