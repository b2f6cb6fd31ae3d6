"""From Parquet and Arrow to rows, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nightschool.errors import DataError
from nightschool.sources.raw import Raw

if TYPE_CHECKING:
    from pyarrow import RecordBatch

_BATCH_ROWS = 1_000


def parquet(path: Path) -> Iterator[Raw]:
    """The rows of a Parquet file."""
    import pyarrow.parquet  # a tenth of a second, for those who have such files

    yield from _raws(path, lambda: pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=_BATCH_ROWS))


def arrow(path: Path) -> Iterator[Raw]:
    """The rows of an Arrow file, as a stream (datasets writes those) or with its index behind it."""
    import pyarrow.ipc

    def batches() -> Iterator[RecordBatch]:
        with pyarrow.memory_map(str(path)) as file:
            if file.read(6) == b"ARROW1":
                reader = pyarrow.ipc.open_file(file)
                yield from (reader.get_batch(place) for place in range(reader.num_record_batches))
            else:
                file.seek(0)
                yield from pyarrow.ipc.open_stream(file)

    yield from _raws(path, batches)


def _raws(path: Path, batches: Any) -> Iterator[Raw]:
    import pyarrow

    row = 0
    try:
        for batch in batches():
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                for record in batch.slice(start, _BATCH_ROWS).to_pylist():
                    row += 1
                    yield Raw(path, row, _plain(record))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as err:
        if isinstance(err, OSError) and err.errno:
            raise
        raise DataError(
            f"not {path.suffix.removeprefix('.').title()}: {str(err).splitlines()[0]:.200}", file=path
        ) from None


def _plain(value: Any) -> Any:
    """A value as JSON would have it: no bytes (pictures and the like are left out), no NaN, dates in words."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, (str, int, bool)) else None
