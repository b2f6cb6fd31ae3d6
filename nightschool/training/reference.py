"""Log-probabilities of a reference on file: computed once, for as long as model and rows are the same."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

_COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")
_TOKENS = ("prompt_ids", "chosen_ids", "rejected_ids")

Columns = dict[str, list[float]]


class References:
    """A folder of them, each file under the identity of all that decides it.

    Args:
        folder: made if it is not there; None keeps nothing.
        precision: what is computed in, and on what.
    """

    def __init__(self, folder: Path | None, precision: str) -> None:
        self._folder, self._precision = folder, precision
        self.found = False

    def read(self, model: str, rows: Any) -> Columns | None:
        """The columns for these rows, in order; None where they are not on file, or the file is damaged.

        Args:
            model: digest of all weights, base and adapters.
            rows: a dataset of token ids.
        """
        if self._folder is None:
            return None
        try:
            kept = orjson.loads(self._file(model, rows).read_bytes())
            columns = {name: kept[name] for name in _COLUMNS}
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
            return None
        self.found = all(len(column) == len(rows) for column in columns.values())
        return columns if self.found else None

    def write(self, model: str, rows: Any) -> None:
        """Keeps the columns that were computed, whole or not at all; a disk that is full keeps none."""
        if self._folder is None:
            return
        file = self._file(model, rows)
        partial = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(orjson.dumps({name: list(rows[name]) for name in _COLUMNS}))
            partial.replace(file)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)

    def _file(self, model: str, rows: Any) -> Path:
        assert self._folder is not None
        digest = hashlib.sha256(f"{model} {self._precision}".encode())
        for name in _TOKENS:
            digest.update(orjson.dumps(_plain(rows[name])))
        return self._folder / f"{digest.hexdigest()[:24]}.json"


def _plain(column: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(ids) for ids in column]
