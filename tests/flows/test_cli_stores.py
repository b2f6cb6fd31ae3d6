"""Whole nights on a store that machines share: killed, gone on with, and found whole from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from blocks.places import folder_of
from blocks.scripted.tally import read_tally
from tests.half_night import maker

ROOT = Path(__file__).parents[2]
PATIENCE_S = 200.0
NO_STUDENT = ("student=null", "sft=null", "validate=null", "answers.chunk_rows=4", "answers.chunks_in_flight=2")
SLOW = "{{models: {{alba: {{accuracy: 0.9, latency_s: {{mean: 0.2}}}}}}, tally: {tally}}}"

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(params=["file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://nights/{tmp_path.name}"
    return f"file://{tmp_path}/there"


class Machine:
    """A folder to work in, in which the night is started from the command line."""

    def __init__(self, folder: Path, url: str, *more: str) -> None:
        folder.mkdir()
        self.tally = folder / "tally"
        maker(folder)(alba=SLOW.format(tally=self.tally))
        self.folder, self.store = folder, folder / (folder_of(url) if "://" in url else url)
        sets = (word for each in (*NO_STUDENT, f"store={url}", *more) for word in ("--set", each))
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

    def killed(self, made: int) -> None:
        """Begun, and killed with all that it started once so many chunks of answers are whole."""
        night = self.start()
        ends = time.monotonic() + PATIENCE_S
        while self.made() < made and night.poll() is None and time.monotonic() < ends:
            time.sleep(0.05)
        assert night.poll() is None, (self.folder / "log").read_text()
        os.killpg(night.pid, signal.SIGKILL)
        night.wait()

    def paid(self) -> dict[str, Any]:
        """What its slow teacher was asked, over all starts."""
        return read_tally(self.tally).report()

    def made(self) -> int:
        return len(list(self.store.glob("answers/*/*.manifest.json")))

    def answers(self) -> dict[str, bytes]:
        files = sorted(self.store.glob("answers/*/*.rows.jsonl.zst"))
        return {str(path.relative_to(self.store)): path.read_bytes() for path in files}


def test_a_killed_night_goes_on_at_once_from_another_folder_and_a_third_finds_it_whole(
    url: str, tmp_path: Path
) -> None:
    first, second, third = (Machine(tmp_path / name, url) for name in ("first", "second", "third"))
    first.killed(3)
    there = first.made()

    phases = second.run()
    assert phases["questions"]["cached_chunks"] == phases["questions"]["chunks"]
    assert there - 2 <= phases["answers"]["cached_chunks"] < phases["answers"]["chunks"]
    assert phases["answers"]["failed_chunks"] == phases["answers"]["failed_rows"] == 0

    found = third.run()
    assert all(phase["cached_chunks"] == phase["chunks"] for phase in found.values())
    assert third.answers() == second.answers()
    assert len(third.answers()) == found["answers"]["chunks"]


def test_a_night_on_s3_that_was_killed_pays_for_nothing_twice_and_has_the_keys_of_one_on_disk(
    s3: dict[str, str], tmp_path: Path
) -> None:
    few = ("serve.concurrency=1", "answers.chunk_rows=8")
    bucket = Machine(tmp_path / "bucket", f"s3://nights/{tmp_path.name}", *few)
    bucket.killed(1)
    paid = bucket.paid()["paid"]
    phases, disk = bucket.run(), Machine(tmp_path / "disk", "runs", *few)
    assert disk.run().keys() == phases.keys()
    assert (bucket.store / "nights/first-half/report.json").exists()
    assert bucket.answers() == disk.answers()
    wanted, found = disk.paid(), bucket.paid()
    assert 0 < paid < wanted["paid"], "in the midst of its answers"
    assert found["paid"] == wanted["paid"]
    assert found["paid_twice"] <= 1, "what was under way when it was killed, whose fate nobody knows"
    keys = {path.parent.relative_to(disk.store) for path in disk.store.glob("*/*/*.manifest.json")}
    assert keys == {Path(name).relative_to(tmp_path.name).parent for name in objects(tmp_path.name, "manifest")}


def objects(prefix: str, named: str) -> list[str]:
    """What lies in the bucket under a prefix, of a kind of file."""
    import botocore.session

    listed = botocore.session.get_session().create_client("s3").list_objects_v2(Bucket="nights", Prefix=f"{prefix}/")
    return [one["Key"] for one in listed["Contents"] if f".{named}" in one["Key"]]
