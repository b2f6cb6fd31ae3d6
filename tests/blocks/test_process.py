"""Work in a process of its own can be told to end, and says so."""

import sys
import threading
from typing import Any

import pytest

from blocks.process import end_all, run_guarded
from nightschool.errors import Stopped, WorldError

SAVES = """
import signal, sys, time
def save(*_):
    print('{"saved": true}', flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
print('{"ready": true}', flush=True)
time.sleep(600)
"""


def test_what_is_told_to_end_may_save_first_and_has_not_failed(tmp_path):
    said: list[dict[str, Any]] = []

    def hear(line: dict[str, Any]) -> None:
        said.append(line)
        if "ready" in line:
            threading.Thread(target=end_all).start()

    with pytest.raises(Stopped):
        run_guarded([sys.executable, "-c", SAVES], log=tmp_path / "log", on_line=hear, known_in=tmp_path, grace_s=30)
    assert said == [{"ready": True}, {"saved": True}]
    with pytest.raises(WorldError, match="exit code 3"):
        run_guarded(
            [sys.executable, "-c", "raise SystemExit(3)"], log=tmp_path / "log", on_line=hear, known_in=tmp_path
        )
