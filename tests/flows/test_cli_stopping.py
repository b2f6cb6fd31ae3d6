"""A signal ends a night soon, whatever its threads are at, and whoever else handles the signal."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# As a night's main thread is: inside a pool that waits for its threads, handlers replaced by somebody else.
STUCK = """
import signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
from flows.cli import stopping
from flows.cli.ending import Ending

# A shell's background jobs are started with it ignored, and what is ignored is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
stopping._GRACE_S = 0.2
with Ending(), stopping.stoppable():
    signal.signal(signal.SIGTERM, lambda *_: None)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(threading.Event().wait, 600)
        print("ready", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_does_not_wait_for_threads(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped. The same command goes on where it stopped." in said
    assert "Traceback" not in said


def test_without_a_signal_nothing_stops() -> None:
    code = "from flows.cli.stopping import stoppable\nwith stoppable():\n    pass\nprint('went on')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"
