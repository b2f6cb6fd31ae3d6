"""Decisions on file: never lost, never torn, never in each other's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blocks.decisions import Decisions
from blocks.places import open_store
from blocks.store import Store
from nightschool.errors import DataError
from tests.nightschool.review_cases import decision, question, ruling

ROOT = Path(__file__).parents[2]


def some(count: int, who: str = "ada"):
    return [decision(ruling(question(f"{who}-{number}")), who=who) for number in range(count)]


def test_they_come_back_in_the_order_in_which_they_were_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = some(6)
    Decisions(Store(tmp_path)).add(said[:2])
    monkeypatch.setattr("time.time_ns", lambda: 1)  # the clock was set back
    for one in said[2:]:
        Decisions(Store(tmp_path)).add([one])
    assert Decisions(Store(tmp_path)).read() == said


def test_reviewers_at_once_lose_nothing(tmp_path: Path) -> None:
    people = ["ada", "bob", "cy", "dee"]

    def sit(who: str) -> None:
        for one in some(25, who):
            Decisions(Store(tmp_path)).add([one])

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(sit, people))
    found = Decisions(Store(tmp_path)).read()
    assert len(found) == 100
    assert {who: [one for one in found if one.who == who] for who in people} == {who: some(25, who) for who in people}


def test_a_kill_leaves_whole_batches(tmp_path: Path) -> None:
    code = (
        "import sys; from blocks.decisions import Decisions; from blocks.store import Store\n"
        "from tests.blocks.test_decisions import some\n"
        "from pathlib import Path\n"
        "store = Decisions(Store(Path(sys.argv[1])))\n"
        "while True:\n    store.add(some(3)); print('said', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        acknowledged = sum(1 for _ in zip(range(20), process.stdout, strict=False))
        os.kill(process.pid, signal.SIGKILL)
    found = Decisions(Store(tmp_path)).read()
    assert acknowledged == 20
    assert len(found) >= 60
    assert len(found) % 3 == 0


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    store = Decisions(Store(tmp_path))
    store.add(some(3))
    [path] = (tmp_path / "review/decisions").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.with_name(f"9{path.name}").write_bytes(b"".join([lines[0], b"{}\n", lines[2]]))
    with pytest.raises(DataError, match=r"\.jsonl:2: not a decision"):
        Decisions(Store(tmp_path)).read()


def test_machines_that_share_a_store_hear_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    url = f"file://{tmp_path}/shared"
    monkeypatch.chdir(tmp_path / "here")
    Decisions(open_store(url)).add(some(2))
    monkeypatch.chdir(tmp_path / "there")
    assert Decisions(open_store(url)).read() == some(2)
