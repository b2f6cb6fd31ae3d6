"""A store that machines share: what one of them made, all of them have; what one of them lost was paid for once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from blocks import lease, shared
from blocks.earlier import Earlier
from blocks.journal import OnFile, replies
from blocks.lease import Lease
from blocks.picked import Picked
from blocks.places import folder_of, open_store
from blocks.remote import Remote
from blocks.shared import Shared
from blocks.store import MANIFEST, ROWS, Store
from nightschool.chunks import Chunk, Manifest
from nightschool.errors import RecipeError
from nightschool.records import Dropped
from tests.blocks.test_journal import journal_of
from tests.blocks.test_store import CHUNK, row


@pytest.fixture
def machines(url: str, tmp_path: Path) -> tuple[Shared, Shared]:
    return Shared(tmp_path / "one", url), Shared(tmp_path / "two", url)


def make(store: Store, names: str = "abc", chunk: Chunk = CHUNK) -> Manifest:
    with store.lock(chunk):
        if found := store.manifest(chunk):
            return found
        store.reopen(chunk)
        model = store.path(chunk, "out") / "deep" / "model.bin"
        model.parent.mkdir(parents=True, exist_ok=True)
        model.write_bytes(b"weights")
        return store.commit(chunk, rows=[row(name) for name in names], dropped=[], figures={}, files=[model])


def names_in(store: Store, chunk: Chunk = CHUNK) -> str:
    return "".join(one.id for one in store.rows(chunk, Dropped))


def look_again(store: Shared) -> Shared:
    """A look as a new process has it, with no listing in its memory."""
    return Shared(store.root, store.place)


def test_what_one_machine_made_another_has_with_its_files(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    assert two.manifest(CHUNK) is None
    made = make(one)
    assert make(look_again(two), "never") == made
    assert names_in(two) == "abc"
    assert (two.path(CHUNK, "out") / "deep" / "model.bin").read_bytes() == b"weights"


def test_other_inputs_are_another_chunk(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    changed = Chunk("answers", "k1", 17, 17, "same place", inputs=(("pool", "d2"),))
    make(one)
    assert two.manifest(changed) is None
    make(look_again(two), "xyz", changed)
    assert look_again(one).manifest(CHUNK)
    assert names_in(one) == "abc"
    assert look_again(one).manifest(changed)
    assert names_in(one, changed) == "xyz"


@pytest.mark.parametrize("lost", [MANIFEST, ROWS])
def test_a_kill_before_all_is_there_is_mended_by_the_next_run(machines: tuple[Shared, Shared], lost: str) -> None:
    one, two = machines
    make(one)
    far = Remote(one.place)
    [manifest] = [name for name in far.names("answers/k1") if name.endswith(MANIFEST)]
    digest = manifest.split(".")[1]
    far.delete(f"answers/k1/{manifest}")
    if lost == ROWS:
        far.delete(f"answers/k1/chunk-00017/{digest}/chunk-00017.{ROWS}")
    assert look_again(two).manifest(CHUNK) is None
    make(look_again(one), "never")
    assert look_again(two).manifest(CHUNK)
    assert names_in(two) == "abc"


def test_of_two_that_were_made_at_once_the_first_by_name_counts_everywhere(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    for store, names in ((one, "abc"), (two, "xyz")):
        store.commit(CHUNK, rows=[row(name) for name in names], dropped=[], figures={})
    kept = [look_again(store).manifest(CHUNK) for store in machines]
    assert kept[0] == kept[1]
    assert names_in(one) == names_in(two)


def test_what_was_damaged_there_does_not_count(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    make(one)
    far = Remote(one.place)
    digest = far.folders("answers/k1/chunk-00017")[0]
    far.write(f"answers/k1/chunk-00017/{digest}/chunk-00017.{ROWS}", b"flipped")
    assert two.manifest(CHUNK) is None
    make(look_again(two), "xyz")
    assert names_in(two) == "xyz"


def test_rows_that_are_another_chunks_are_so_everywhere(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    make(one)
    picker = Chunk("filters", "k2", 17, 17, "filters", inputs=(("answers", "d2"),))
    two.commit(picker, rows=[row("own")], dropped=[], figures={})
    two.forget(picker)
    look_again(one).commit(picker, rows=Picked(CHUNK, [0, 2]), dropped=[], figures={})
    two.path(picker, ROWS).write_bytes(b"left by a kill")
    assert look_again(two).manifest(CHUNK)
    assert two.manifest(picker)
    assert names_in(two, picker) == "ac"


def test_what_was_damaged_here_is_fetched_again(machines: tuple[Shared, Shared]) -> None:
    one, _ = machines
    make(one)
    one.path(CHUNK, ROWS).write_bytes(b"flipped")
    assert one.damage(CHUNK) is None
    assert names_in(one) == "abc"


def test_a_forgotten_chunk_is_forgotten_by_all(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    make(one)
    assert two.manifest(CHUNK)
    one.forget(CHUNK)
    assert look_again(two).manifest(CHUNK) is None
    make(look_again(one), "xyz")
    assert look_again(two).manifest(CHUNK)
    assert names_in(two) == "xyz"


def test_replies_of_a_machine_that_was_lost_are_not_paid_for_again(
    machines: tuple[Shared, Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    monkeypatch.setattr(lease, "LOOK_S", 0.01)
    monkeypatch.setattr(lease, "DEAD_AFTER_S", 0.2)
    journal_of(two.journal(CHUNK), "c", "d")
    far, folder = Remote(one.place), f"answers/k1/{CHUNK.journal}"
    # A machine that is lost: it holds the lease, has sent a segment, and is not heard of any more.
    assert Lease(far, "answers/k1/chunk-00017.lease").take()
    journal_of(one.journal(CHUNK), "a", "b", "c")
    far.write(f"{folder}/lost-0", one.journal(CHUNK).read_bytes() + b'["torn')
    told: list[str] = []
    with two.lock(CHUNK, told.append):
        assert [reply.id for reply in replies(two.journal(CHUNK))] == ["c", "d", "a", "b"]
        while not any(not name.startswith("lost") for name in far.names(folder)):
            assert told
    assert ", process " in told[0]
    assert far.names("answers/k1/chunk-00017.lease") == []


def test_replies_that_another_machine_has_under_another_key_are_found(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    other, mine = (Chunk("answers", key, 0, 0, "x", asks="abcd1234") for key in ("k0", "k1"))
    with one.lock(other):
        journal_of(one.journal(other), "a", "b")
        one.commit(other, rows=[row("a"), row("b")], dropped=[], figures={})
    [journal] = two.earlier(mine)
    assert journal == two.journal(other)
    assert set(OnFile(journal, Earlier([journal]).of(["b", "c"]))) == {"b"}
    assert not two.manifest(mine)


def test_two_machines_make_a_chunk_once(machines: tuple[Shared, Shared], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOOK_S", 0.01)
    made: list[str] = []

    def work(store: Shared) -> None:
        for index in range(6):
            chunk = Chunk("answers", "k1", index, index, f"chunk {index}")
            with store.lock(chunk):
                if not store.manifest(chunk):
                    made.append(chunk.label)
                    store.commit(chunk, rows=[row("a")], dropped=[], figures={})

    threads = [threading.Thread(target=work, args=(store,)) for store in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [f"chunk {index}" for index in range(6)]


def test_a_chunk_that_is_being_made_is_seen_from_elsewhere(
    machines: tuple[Shared, Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_HELD_FOR_S", 0.0)
    one, two = machines
    assert not two.is_held(CHUNK)
    with one.lock(CHUNK):
        assert two.is_held(CHUNK)
        assert one.is_held(CHUNK)
        assert not two.is_held(Chunk("answers", "k1", 18, 18, "beside it"))
    assert not two.is_held(CHUNK)
    assert not one.is_held(CHUNK)


def test_a_nights_own_files_are_brought(machines: tuple[Shared, Shared]) -> None:
    one, two = machines
    file = one.root / "nights" / "first" / "night.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"{}")
    one.mirror(file)
    assert two.nights() == ["first"]
    two.bring("nights/first")
    assert (two.root / "nights" / "first" / "night.json").read_bytes() == b"{}"


def test_a_name_is_a_folder_or_a_url(tmp_path: Path) -> None:
    assert open_store(tmp_path).root == tmp_path
    there = open_store("memory://bucket/prefix/")
    assert open_store(there.place).root == there.root == folder_of("memory://bucket/prefix")
    assert folder_of("memory://bucket/other") != there.root
    with pytest.raises(RecipeError, match="no such kind of store"):
        open_store("nosuch://bucket")
