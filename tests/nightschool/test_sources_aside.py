"""Rows laid aside: as they were, as often as wanted, by several readers at once, and not in memory."""

from __future__ import annotations

import tempfile
import tracemalloc
from itertools import zip_longest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.errors import WorldError
from nightschool.records import Dropped
from nightschool.sources.aside import Aside, Lines


@given(st.lists(st.text(max_size=9) | st.integers(1_000_000, 1_100_000).map("x".__mul__), max_size=4))
def test_rows_come_back_as_they_were_to_readers_side_by_side(details: list[str]) -> None:
    aside, rows = Aside(Dropped), [Dropped(id=str(n), reason="r", detail=text) for n, text in enumerate(details)]
    for row in rows:
        aside.add(row)
    assert len(aside) == len(rows)
    assert list(zip_longest(aside, aside)) == [(row, row) for row in rows]


def test_a_folder_without_room_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    lines = Lines()
    lines.add(b"few bytes need no file\n")
    with pytest.raises(WorldError, match=r"gone: rows cannot be laid aside there: No such file"):
        lines.add(b"x" * 2_000_000 + b"\n")


def test_a_long_file_takes_no_more_memory_than_a_block() -> None:
    tracemalloc.start()
    try:
        lines = Lines()
        for _ in range(20_000):
            lines.add(b"x" * 999 + b"\n")
        assert sum(map(len, lines)) == 20_000_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
