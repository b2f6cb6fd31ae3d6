"""Whole nights on a store that machines share: killed, gone on with, and found whole from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blocks.places import folder_of
from tests.half_night import maker

ROOT = Path(__file__).parents[2]
PATIENCE_S = 200.0
NO_STUDENT = ("student=null", "sft=null", "validate=null", "answers.chunk_rows=4", "answers.chunks_in_flight=2")
SLOW = "{models: {alba: {accuracy: 0.9, latency_s: {mean: 0.2}}}}"

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://nights/{tmp_path.name}"
    return f"file://{tmp_path}/there"


class Machine:
    """A folder to work in, in which the night is started from the command line."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        maker(folder)(alba=SLOW)
        self.folder, self.store = folder, folder / folder_of(url)
        sets = (word for each in (*NO_STUDENT, f"store={url}") for word in ("--set", each))
        self._command = [sys.executable, "-m", "flows.cli", "run", "recipe.yaml", *sets, "--json"]

    def start(self) -> subprocess.Popen[bytes]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(self.folder / "prefect")}
        env.pop("PREFECT_API_URL", None)
        log = (self.folder / "log").open("ab")
        return subprocess.Popen(
            self._command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )

    def run(self) -> dict:
        done = self.start()
        printed, _ = done.communicate(timeout=PATIENCE_S)
        assert done.returncode == 0, (self.folder / "log").read_text()
        return {phase["name"]: phase for phase in json.loads(printed.splitlines()[-1])["phases"] if phase["chunks"]}

    def made(self) -> int:
        return len(list(self.store.glob("answers/*/*.manifest.json")))

    def answers(self) -> dict[str, bytes]:
        files = sorted(self.store.glob("answers/*/*.rows.jsonl.zst"))
        return {str(path.relative_to(self.store)): path.read_bytes() for path in files}


def test_a_killed_night_goes_on_at_once_from_another_folder_and_a_third_finds_it_whole(
    url: str, tmp_path: Path
) -> None:
    first, second, third = (Machine(tmp_path / name, url) for name in ("first", "second", "third"))
    killed = first.start()
    ends = time.monotonic() + PATIENCE_S
    while first.made() < 3 and killed.poll() is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert killed.poll() is None, (first.folder / "log").read_text()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    there = first.made()

    phases = second.run()
    assert phases["questions"]["cached_chunks"] == phases["questions"]["chunks"]
    assert there - 2 <= phases["answers"]["cached_chunks"] < phases["answers"]["chunks"]
    assert phases["answers"]["failed_chunks"] == phases["answers"]["failed_rows"] == 0

    found = third.run()
    assert all(phase["cached_chunks"] == phase["chunks"] for phase in found.values())
    assert third.answers() == second.answers()
    assert len(third.answers()) == found["answers"]["chunks"]
