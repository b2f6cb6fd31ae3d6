"""The store: a chunk is whole or not there, and goes stale when its inputs change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.journal import packed, replies
from blocks.packed import pack
from blocks.picked import Picked
from blocks.store import MANIFEST, ROWS, Store
from nightschool.chunks import Chunk, split
from nightschool.errors import DataError, WorldError
from nightschool.records import Dropped
from tests.blocks.test_journal import journal_of

CHUNK = Chunk("answers", "k1", 17, 17, "answers chunk 18/40", inputs=(("pool", "d1"),))


SAYS = {
    "truncate": "is not what was written",
    "flip": "is not what was written",
    "delete": "is missing",
    "manifest": "does not read",
}


def row(name: str) -> Dropped:
    return Dropped(id=name, reason="none")


PICKER = Chunk("filters", "k2", 17, 17, "filters chunk 18/40", inputs=(("answers", "d2"),))


def committed(root: Path, names: str = "abc") -> Store:
    store = Store(root)
    store.commit(CHUNK, rows=[row(name) for name in names], dropped=[("truncated", row("z"))], figures={"seconds": 1.0})
    return store


def test_a_committed_chunk_is_read_back_with_its_counts(tmp_path: Path) -> None:
    store = committed(tmp_path)
    manifest = store.manifest(CHUNK)
    assert manifest is not None
    assert (manifest.rows, manifest.dropped) == (3, {"truncated": 1})
    assert [one.id for one in store.rows(CHUNK, Dropped)] == ["a", "b", "c"]
    assert (tmp_path / "answers" / "k1" / "chunk-00017.manifest.json").is_file()


@pytest.mark.parametrize("harm", ["truncate", "flip", "delete", "manifest"])
def test_a_harmed_chunk_is_not_whole(tmp_path: Path, harm: str) -> None:
    store = committed(tmp_path)
    path = store.path(CHUNK, MANIFEST if harm == "manifest" else ROWS)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "delete":
        path.unlink()
    else:
        path.write_bytes(data if harm == "flip" else data[: len(data) // 2])
    assert store.manifest(CHUNK) is None
    assert store.damage(CHUNK) == f"{path.name} {SAYS[harm]}"
    assert Store(tmp_path).damage(CHUNK) == f"{path.name} {SAYS[harm]}"


def test_nothing_is_damaged_that_is_whole_or_stale_or_was_never_made(tmp_path: Path) -> None:
    assert Store(tmp_path).damage(CHUNK) is None
    store = committed(tmp_path)
    store.path(CHUNK, ROWS).write_bytes(b"")
    assert store.damage(Chunk("answers", "k1", 17, 17, "same place", inputs=(("pool", "d2"),))) is None


def test_a_look_at_a_whole_chunk_reads_its_files_once(tmp_path: Path) -> None:
    store = committed(tmp_path)
    os.utime(store.path(CHUNK, ROWS), ns=(1, 1))
    assert store.manifest(CHUNK)
    data = store.path(CHUNK, ROWS).read_bytes()
    store.path(CHUNK, ROWS).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert store.manifest(CHUNK) is None
    os.utime(store.path(CHUNK, ROWS), ns=(1, 1))
    assert store.manifest(CHUNK), "same size, time and inode: the digest is not taken again"


def test_a_chunk_made_from_other_inputs_is_stale(tmp_path: Path) -> None:
    store = committed(tmp_path)
    changed = Chunk("answers", "k1", 17, 17, "same place", inputs=(("pool", "d2"),))
    assert store.manifest(changed) is None
    assert store.manifest(CHUNK) is not None


def test_the_digest_follows_the_rows(tmp_path: Path) -> None:
    first = committed(tmp_path / "one").manifest(CHUNK)
    same = committed(tmp_path / "two").manifest(CHUNK)
    other = committed(tmp_path / "three", "abd").manifest(CHUNK)
    assert first is not None
    assert same is not None
    assert other is not None
    assert first.digest == same.digest != other.digest


def test_a_forgotten_chunk_is_gone(tmp_path: Path) -> None:
    store = committed(tmp_path)
    store.forget(CHUNK)
    assert store.manifest(CHUNK) is None
    assert [path.name for path in store.folder(CHUNK).iterdir()] == []


@pytest.mark.parametrize("harm", ["rows", "manifest", "journal"])
def test_what_was_paid_for_is_not_lost_with_a_damaged_chunk(tmp_path: Path, harm: str) -> None:
    store = Store(tmp_path)
    journal_of(store.journal(CHUNK), *"abc")
    committed(tmp_path)
    assert not store.journal(CHUNK).exists()
    at = {
        "rows": store.path(CHUNK, ROWS),
        "manifest": store.path(CHUNK, MANIFEST),
        "journal": packed(store.journal(CHUNK)),
    }[harm]
    at.write_bytes(at.read_bytes()[:-5])
    store.reopen(CHUNK)
    assert [one.id for one in replies(store.journal(CHUNK))] == ([] if harm == "journal" else list("abc"))


def test_replies_to_other_inputs_are_not_taken_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    changed = Chunk("answers", "k1", 17, 17, "same place", inputs=(("pool", "d2"),))
    journal_of(store.journal(CHUNK), "a")
    committed(tmp_path)
    store.reopen(changed)
    assert list(replies(store.journal(changed))) == []


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    store = committed(tmp_path)
    with store.path(CHUNK, ROWS).open("ab") as file:
        file.write(pack([b'{"id": 3}\n']))
    with pytest.raises(DataError, match=r"chunk-00017.rows.jsonl.zst:4: not a row of its kind"):
        store.rows(CHUNK, Dropped)


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where a folder should be")
    with pytest.raises(WorldError, match=r"answers/k1: the store cannot be written"):
        committed(tmp_path)


def test_only_one_process_makes_a_chunk(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from blocks.store import Store
from tests.blocks.test_store import CHUNK
print("comes", flush=True)
with Store(Path({str(tmp_path)!r})).lock(CHUNK):
    print("mine", flush=True)
"""
    store = Store(tmp_path)
    with store.lock(CHUNK):
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert other.stdout is not None
        assert other.stdout.readline() == b"comes\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=1.0)
    assert other.stdout.read() == b"mine\n"
    assert other.wait() == 0


@given(st.lists(st.integers()), st.integers(1, 50))
def test_splitting_loses_nothing_and_keeps_the_order(rows: list[int], size: int) -> None:
    parts = split(rows, size)
    assert [one for part in parts for one in part] == rows
    assert all(0 < len(part) <= size for part in parts)


def test_a_full_disk_leaves_no_chunk_that_looks_whole(tmp_path: Path) -> None:
    """A limit on the size of files is the nearest thing to a full disk that needs no root."""
    code = f"""
import resource, signal
from pathlib import Path
from blocks.store import Store
from nightschool.errors import WorldError
from tests.blocks.test_store import CHUNK, row
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
store = Store(Path({str(tmp_path)!r}))
try:
    store.commit(CHUNK, rows=[row(str(number)) for number in range(100)], dropped=[], figures={{}})
except WorldError as err:
    print(err)
print(store.manifest(CHUNK))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message, manifest = done.stdout.strip().splitlines()
    assert "the store cannot be written: File too large" in message
    assert manifest == "None"


@given(places=st.sets(st.integers(0, 2_499)), start=st.integers(0, 2_600), stop=st.none() | st.integers(0, 2_600))
@settings(max_examples=25)
def test_rows_that_are_another_chunks_are_read_as_if_they_lay_here(
    tmp_path_factory: pytest.TempPathFactory, places: set[int], start: int, stop: int | None
) -> None:
    store = Store(tmp_path_factory.mktemp("picked"))
    rows = [row(f"r{number}") for number in range(2_500)]
    store.commit(CHUNK, rows=rows, dropped=[], figures={})
    picked = [rows[place] for place in sorted(places)]
    manifest = store.commit(PICKER, rows=Picked(CHUNK, sorted(places)), dropped=[], figures={})
    assert store.manifest(PICKER) == manifest
    assert (manifest.rows, not store.path(PICKER, ROWS).exists()) == (len(picked), True)
    assert store.rows(PICKER, Dropped) == picked
    assert store.rows(PICKER, Dropped, start=start, stop=stop) == picked[start:stop]
    assert [Dropped.model_validate_json(line) for line in store.lines(PICKER)] == picked


def test_rows_of_a_chunk_that_is_another_now_are_not_taken_for_its_own(tmp_path: Path) -> None:
    store = committed(tmp_path)
    first = store.commit(PICKER, rows=Picked(CHUNK, [0, 2]), dropped=[], figures={})
    store.forget(CHUNK)
    committed(tmp_path)
    assert [one.id for one in store.rows(PICKER, Dropped)] == ["a", "c"]
    committed(tmp_path, "xyz")
    with pytest.raises(DataError, match=r"rows of answers/k1, which is another now"):
        store.rows(PICKER, Dropped)
    assert store.commit(PICKER, rows=Picked(CHUNK, [0, 2]), dropped=[], figures={}).digest != first.digest
    store.commit(PICKER, rows=[row("own")], dropped=[], figures={})
    assert [one.id for one in store.rows(PICKER, Dropped)] == ["own"]
    store.forget(PICKER)
    assert not list(store.folder(PICKER).iterdir())


def test_a_bad_row_that_was_picked_is_named_by_its_line_where_it_lies(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit(CHUNK, rows=[b"{}\n", *(row(name) for name in "bc"), b"{}\n"], dropped=[], figures={})
    store.commit(PICKER, rows=Picked(CHUNK, [1, 3]), dropped=[], figures={})
    with pytest.raises(DataError, match=r"answers/k1/chunk-00017.rows.jsonl.zst:4: not a row of its kind"):
        store.rows(PICKER, Dropped)
