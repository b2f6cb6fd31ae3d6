"""The journal: whole lines survive anything; what is torn or flipped costs its own row and no other."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blocks.journal import VERSION, Journal, OnFile, as_line, good, replies
from nightschool.errors import DataError, WorldError
from nightschool.wire import Choice, Reply

# A line of this VERSION as a store somewhere has it.
LINE_OF_THIS_VERSION = (
    b'["f37cdf7c",{"id":"q-1","model":"m","seed":7,"choices":[{"text":"A","finish":"stop","reasoning":null}],'
    b'"tokens_in":3,"tokens_out":1,"latency_s":0.5,"attempts":1}]\n'
)

APPENDS_UNTIL_KILLED = """
import os, sys, time
from pathlib import Path
from blocks.journal import Journal
from tests.blocks.test_journal import reply
with Journal(Path(sys.argv[1])) as journal:
    for number in range(int(sys.argv[2])):
        journal.append(reply(str(number)))
    print("appended", flush=True)
    time.sleep(60)
"""


def reply(name: str, text: str = "x") -> Reply:
    choices = (Choice(text=text, finish="stop"),)
    return Reply(id=name, model="m", seed=1, choices=choices, tokens_in=1, tokens_out=1, latency_s=0.1, attempts=1)


def ids(path: Path) -> list[str]:
    return [one.id for one in replies(path)]


def journal_of(path: Path, *names: str) -> Path:
    with Journal(path) as journal:
        for name in names:
            journal.append(reply(name))
    return path


def test_what_was_appended_is_read_back_over_several_openings(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    awkward = reply('quo"te\\', 'line\nbreak "quoted" \u2028')
    with Journal(path) as journal:
        journal.append(reply("a"))
        journal.append(awkward)
    with Journal(path) as journal:
        assert dict(journal.replies) == {"a": [reply("a")], awkward.id: [awkward]}
        journal.append(reply("c"))
    assert list(replies(path)) == [reply("a"), awkward, reply("c")]


def test_a_line_of_this_version_is_read() -> None:
    """If this fails, Reply has changed: old lines must be asked again, so raise VERSION and renew the line."""
    (body,) = good(LINE_OF_THIS_VERSION)
    assert Reply.model_validate_json(body).choices == (Choice(text="A", finish="stop"),)


def test_a_line_of_another_version_is_asked_again() -> None:
    body = LINE_OF_THIS_VERSION[12:-2]
    assert list(good(b'["%08x",%b]\n' % (zlib.crc32(body, VERSION + 1), body))) == []


@given(cut=st.integers(0, 600))
def test_a_torn_tail_costs_the_torn_rows_and_no_other(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = journal_of(tmp_path_factory.mktemp("torn") / "journal.jsonl", *"abcd")
    whole = path.read_bytes()
    left = whole[: max(0, len(whole) - cut)]
    path.write_bytes(left)
    kept = list("abcd")[: left.count(b"\n")]
    assert ids(path) == kept
    assert ids(journal_of(path, "next")) == [*kept, "next"]
    assert path.read_bytes().endswith(b"\n")


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_at_most_the_lines_that_it_joins(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    path = journal_of(tmp_path_factory.mktemp("flip") / "journal.jsonl", *"abcd")
    data = bytearray(path.read_bytes())
    place %= len(data)
    hit = data[:place].count(b"\n")
    data[place] ^= 1 << bit
    path.write_bytes(data)
    found = {one.id: one for one in replies(path)}
    spared = [name for number, name in enumerate("abcd") if number not in (hit, hit + 1)]
    assert set(spared) <= set(found) <= set("abcd")
    assert all(one == reply(one.id) for one in found.values())


@given(st.lists(st.one_of(st.sampled_from("abcdefgh"), st.binary(max_size=60)), max_size=12), st.booleans())
@example([b"\n", "a", b'["00000000",{}]\n', "b"], True)
def test_any_bytes_between_the_lines_hide_none_of_them(parts: list[str | bytes], torn: bool) -> None:
    lines = [as_line(reply(part)) if isinstance(part, str) else part + b"\n" for part in parts]
    data = b"".join(lines) + (b'["torn' if torn else b"")
    found = OnFile(Path("any"), data)
    for name in "abcdefgh":
        assert list(found.get(name, [])) == [reply(name)] * parts.count(name)
    assert found.whole == len(data) - (6 if torn else 0)


@given(st.binary(max_size=300), st.randoms(use_true_random=False))
def test_what_checks_and_is_no_reply_is_ours_to_refuse(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, rng: random.Random
) -> None:
    body = rng.choice([body, b'{"id":"q"' + body + b"}", b'{"id":"q' + body]).replace(b"\n", b" ")
    path = tmp_path_factory.mktemp("any") / "journal.jsonl"
    path.write_bytes(b'["%08x",%b]\n' % (zlib.crc32(body, VERSION), body))
    with suppress(DataError):
        assert all(isinstance(one, Reply) for one in replies(path))


def test_kill_9_loses_no_line_that_was_appended(tmp_path: Path) -> None:
    path, count = tmp_path / "journal.jsonl", 2000
    command = [sys.executable, "-c", APPENDS_UNTIL_KILLED, str(path), str(count)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"appended\n"
    # Each waits a few milliseconds for its write(): no close() is needed.
    while len(ids(path)) < count:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert ids(path) == [str(number) for number in range(count)]


def test_a_disk_that_fills_up_is_a_world_error_leaves_whole_lines_and_is_told_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    """A limit on the file's size is the nearest thing to a full disk that needs no root."""
    code = f"""
import resource, signal
from itertools import count
from pathlib import Path
from blocks.journal import Journal, replies
from nightschool.errors import WorldError
from tests.blocks.test_journal import reply
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path({str(tmp_path / "journal.jsonl")!r})
for attempt, limit in enumerate((1500, 3000, 3000)):
    try:
        with Journal(path) as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
            for number in range(20) if attempt else count():
                journal.append(reply(str(number)))
    except WorldError as err:
        print(err)
    if not attempt:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
print(len(list(replies(path))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *messages, count = done.stdout.strip().splitlines()
    told = [message.partition(": ")[2] for message in messages]
    assert told == [f"journal cannot be {what}: File too large" for what in ("written", "written", "opened")]
    assert int(count) >= 5
    assert (tmp_path / "journal.jsonl").read_bytes().endswith(b"\n")
    assert WorldError.exit_code == 3


def test_a_disk_that_is_full_for_one_journal_is_full_for_all_until_there_is_room_again(tmp_path: Path) -> None:
    code = f"""
import resource
from pathlib import Path
from blocks.journal import Journal
from nightschool.errors import WorldError
from tests.blocks.test_journal import reply
folder = Path({str(tmp_path)!r})
def told(journal):
    try:
        journal.check()
    except WorldError as err:
        return str(err).partition(": ")[2]
with Journal(folder / "other.jsonl") as other:
    try:
        with Journal(folder / "full.jsonl") as full:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))
            assert told(other) is None
            full.append(reply("1"))
    except WorldError:
        print(told(other))
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    with Journal(folder / "full.jsonl"):
        print(told(other))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["journal cannot be written: File too large", "None"]
