"""A store that somebody else wrote: what points out of it, or says that it is a gigabyte, is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from blocks import journal as journals
from blocks.journal import Journal, packed_lines
from blocks.packed import MOST_FRAME_BYTES, pack, unpack
from blocks.picked import PICKED, Picked
from blocks.shared import Shared
from blocks.store import MANIFEST, ROWS, Store
from nightschool.errors import DataError
from nightschool.records import Dropped
from tests.blocks.test_store import CHUNK, PICKER, committed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OURS = b"what is ours\n"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file outside of the store."""
    path = tmp_path / "precious"
    path.write_bytes(OURS)
    return path


def edited(path: Path, change: Callable[[dict], object]) -> None:
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


@pytest.mark.parametrize("name", ["../../../precious", "/etc/hostname", "a/../../x", "", "a\\..\\b", "a\0b", "./a"])
def test_a_manifest_names_only_what_lies_beside_it(tmp_path: Path, name: str) -> None:
    store = committed(tmp_path / "store")
    mark = {"bytes": 1, "sha256": "0", "content": "0"}
    edited(store.path(CHUNK, MANIFEST), lambda found: found["files"].update({name: mark}))
    assert store.manifest(CHUNK) is None
    assert store.damage(CHUNK) == "chunk-00017.manifest.json does not read"


def test_no_machine_writes_where_anothers_manifest_says(tmp_path: Path, precious: Path) -> None:
    there = (tmp_path / "there").as_uri()
    one, two = (Shared(tmp_path / "w" / name, there) for name in ("one", "two"))
    committed_there = one.commit(CHUNK, rows=[Dropped(id="a", reason="none")], dropped=[], figures={})
    [path] = (tmp_path / "there").rglob(f"*.{MANIFEST}")
    data = json.loads(path.read_text())
    data["files"]["../../../../precious"] = data["files"].popitem()[1]
    path.write_text(json.dumps(data))
    assert two.manifest(CHUNK) is None
    assert committed_there.rows == 1
    assert precious.read_bytes() == OURS


def test_a_link_is_no_part_of_a_chunk(tmp_path: Path, precious: Path) -> None:
    store = committed(tmp_path / "store")
    rows = store.path(CHUNK, ROWS)
    precious.write_bytes(rows.read_bytes())
    rows.unlink()
    rows.symlink_to(precious)
    assert store.damage(CHUNK) == f"{rows.name} is a link"


@pytest.mark.parametrize("ending", ["lock", "out", "checkpoints", ""])
def test_nothing_is_written_through_a_link(tmp_path: Path, precious: Path, ending: str) -> None:
    store = Store(tmp_path / "store")
    folder, elsewhere = store.folder(CHUNK), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder if ending else folder.parent).mkdir(parents=True)
    link = store.path(CHUNK, ending) if ending else folder
    link.symlink_to(precious if ending == "lock" else elsewhere)
    with pytest.raises(DataError, match=f"{link.name}: is a link"), store.lock(CHUNK):
        pass
    assert (precious.read_bytes(), list(elsewhere.iterdir())) == (OURS, [])


def test_a_journal_is_not_written_through_a_link(tmp_path: Path, precious: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.symlink_to(precious)
    with pytest.raises(DataError, match=r"journal\.jsonl: is a link"), Journal(path):
        pass
    assert precious.read_bytes() == OURS


BAD_PICKS = {
    "out of the store": {"folder": "../outside"},
    "absolute": {"folder": "/etc/x"},
    "another name": {"stem": "../x"},
    "backwards": {"runs": [[5, 2]]},
    "negative": {"runs": [[-3, 1]]},
    "absurdly far": {"runs": [[0, 1 << 60]]},
    "overlapping": {"runs": [[0, 2], [1, 3]]},
}


@pytest.mark.parametrize("change", BAD_PICKS.values(), ids=BAD_PICKS.keys())
def test_picked_rows_lie_in_the_store_and_in_order(tmp_path: Path, change: dict) -> None:
    store = committed(tmp_path)
    store.commit(PICKER, rows=Picked(CHUNK, [0, 2]), dropped=[], figures={})
    edited(store.path(PICKER, PICKED), lambda found: found.update(change))
    with pytest.raises(DataError, match=r"picked\.json: does not read"):
        list(store.lines(PICKER))


def test_rows_are_not_picked_through_a_link(tmp_path: Path, precious: Path) -> None:
    store = committed(tmp_path / "store")
    store.commit(PICKER, rows=Picked(CHUNK, [0, 2]), dropped=[], figures={})
    rows = store.path(CHUNK, ROWS)
    rows.rename(tmp_path / "moved")
    rows.symlink_to(tmp_path / "moved")
    with pytest.raises(DataError, match="is a link"):
        list(store.lines(PICKER))


def test_rows_of_a_chunk_that_only_picks_itself_are_not_picked(tmp_path: Path) -> None:
    store = committed(tmp_path)
    store.commit(PICKER, rows=Picked(CHUNK, [0]), dropped=[], figures={})
    edited(store.path(PICKER, PICKED), lambda found: found.update(folder="filters/k2"))
    with pytest.raises(DataError, match="which is another now"):
        list(store.lines(PICKER))


def bomb(size: int) -> bytes:
    return zstd.compress(b"\0" * size)


def lying(size: int, says: int) -> bytes:
    """A frame of zeros that says it is of another size: eight bytes of its head are the size."""
    frame = bytearray(bomb(size))
    info = size.to_bytes(4, "little")
    at = bytes(frame).index(info)
    frame[at : at + 4] = says.to_bytes(4, "little")
    return bytes(frame)


def unsized(size: int) -> bytes:
    packer = zstd.ZstdCompressor()
    return packer.compress(b"\0" * size) + packer.flush()


@pytest.mark.parametrize(
    "frame",
    [bomb(MOST_FRAME_BYTES + 1), lying(1 << 20, says=70_000), unsized(1 << 20)],
    ids=["more than any of ours", "more than it says", "without a size"],
)
def test_a_frame_is_unpacked_only_as_far_as_it_says_and_may(tmp_path: Path, frame: bytes) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(pack([b"good\n"]) + frame)
    lines = unpack(path)
    assert next(lines) == b"good\n"
    with pytest.raises(DataError, match="cannot be unpacked"):
        list(lines)


def test_a_packed_journal_ends_where_no_chunk_has_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "_MOST_UNPACKED", 10)
    (tmp_path / "j.jsonl.zst").write_bytes(pack([b"1234\n", b"5678\n", b"9\n"]))
    assert list(packed_lines(tmp_path / "j.jsonl")) == [b"1234\n", b"5678\n"]


def test_nothing_that_is_read_is_a_pickle() -> None:
    """Not ours to try out: whoever reads one runs it. Training's checkpoints are read by torch, weights only."""
    folder = Path(journals.__file__).parents[1]
    modules = [path for name in ("nightschool", "blocks", "tasks", "flows") for path in (folder / name).rglob("*.py")]
    named = [path.name for path in modules if "import pickle" in path.read_text() or "torch.load(" in path.read_text()]
    assert named == []


def test_a_night_that_is_a_link_is_not_opened(tmp_path: Path) -> None:
    from tasks.night import Night

    nights = tmp_path / "store" / "nights"
    nights.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "night.json").write_text("{}")
    (nights / "late").symlink_to(tmp_path / "elsewhere")
    (nights / "bad\x1b[31mname").mkdir()
    (nights / "bad\x1b[31mname" / "night.json").write_text("{}")
    with pytest.raises(DataError, match="is a link"):
        Night.open(tmp_path / "store", "late")
    assert Store(tmp_path / "store").nights() == ["late"]
