"""Packed lines: any run of them is the run of the lines as they were; damage is ours to name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.packed import FRAME_LINES, pack, unpack
from nightschool.errors import DataError

LINES = [f"{number}\r\x85\n".encode() for number in range(2 * FRAME_LINES + 7)]


@given(st.integers(0, len(LINES) + 9), st.none() | st.integers(0, len(LINES) + 9))
def test_a_run_is_that_run(tmp_path_factory: pytest.TempPathFactory, start: int, stop: int | None) -> None:
    path = tmp_path_factory.mktemp("packed") / "lines.zst"
    path.write_bytes(pack(LINES))
    stop = stop if stop is None else max(start, stop)
    assert list(unpack(path, start, stop)) == LINES[start:stop]


@given(st.data())
def test_a_flipped_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("packed") / "lines.zst"
    packed = bytearray(pack(LINES))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"lines\.zst"):
        assert list(unpack(path)) == LINES


def test_no_lines_are_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "none.zst").write_bytes(pack([]))
    assert list(unpack(tmp_path / "none.zst")) == []
