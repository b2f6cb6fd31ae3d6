"""The journal: whole lines survive anything, a torn one is cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.journal import Journal, replies, whole_bytes
from nightschool.errors import WorldError
from nightschool.wire import Choice, Reply

WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from blocks.journal import Journal
from nightschool.wire import Reply
with Journal(Path(sys.argv[1])) as journal:
    for number in range(10**9):
        journal.append(Reply(id=str(number), model="m", seed=0, choices=(), tokens_in=0, tokens_out=0,
                             latency_s=0.0, attempts=1))
        if number == 200:
            print("going", flush=True)
"""


def reply(name: str, text: str = "x") -> Reply:
    choices = (Choice(text=text, finish="stop"),)
    return Reply(id=name, model="m", seed=1, choices=choices, tokens_in=1, tokens_out=1, latency_s=0.1, attempts=1)


def test_what_was_appended_is_read_back_over_several_openings(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    for names in (["a", "b"], ["c"]):
        with Journal(path) as journal:
            for name in names:
                journal.append(reply(name, 'line\nbreak "quoted" \u2028'))
    assert [one.id for one in replies(path)] == ["a", "b", "c"]


@given(cut=st.integers(0, 400))
def test_a_torn_tail_costs_the_torn_rows_and_no_other(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal.jsonl"
    with Journal(path) as journal:
        for name in "abcd":
            journal.append(reply(name))
    whole = path.read_bytes()
    left = whole[: max(0, len(whole) - cut)]
    path.write_bytes(left)
    kept = left.count(b"\n")
    assert [one.id for one in replies(path)] == list("abcd")[:kept]
    with Journal(path) as journal:
        journal.append(reply("next"))
    assert [one.id for one in replies(path)] == [*"abcd"[:kept], "next"]
    assert path.read_bytes().endswith(b"\n")


def test_rubbish_in_the_middle_ends_what_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    line = reply("a").model_dump_json().encode() + b"\n"
    path.write_bytes(line + b"{}\n" + line)
    assert whole_bytes(path) == len(line)


def test_kill_9_loses_no_line_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    process = subprocess.Popen([sys.executable, "-c", WRITES_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"going\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    found = [int(one.id) for one in replies(path)]
    assert len(found) > 200
    assert found == list(range(len(found)))
    assert whole_bytes(path) >= path.stat().st_size - 400


def test_a_full_disk_is_a_world_error_and_leaves_whole_lines(tmp_path: Path) -> None:
    """A limit on the file's size is the nearest thing to a full disk that needs no root."""
    code = f"""
import resource, signal, sys
from pathlib import Path
from blocks.journal import Journal, replies
from nightschool.errors import WorldError
from tests.blocks.test_journal import reply
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
path = Path({str(tmp_path / "journal.jsonl")!r})
with Journal(path) as journal:
    try:
        for number in range(100):
            journal.append(reply(str(number)))
    except WorldError as err:
        print(err)
print(len(list(replies(path))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    message, count = done.stdout.strip().splitlines()
    assert "journal cannot be written" in message
    assert "journal.jsonl" in message
    assert int(count) >= 1
    assert (tmp_path / "journal.jsonl").read_bytes().endswith(b"\n")
    assert WorldError.exit_code == 3
