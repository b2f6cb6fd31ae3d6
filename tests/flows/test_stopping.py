"""A signal ends a night soon, whatever its threads are at, and whoever else handles the signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.states import Cancelling, Running

ROOT = Path(__file__).parents[2]
# As a night's main thread is: inside a pool that waits for its threads, handlers replaced by somebody else.
STUCK = """
import signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
from flows import stopping
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


# And while requests are under way that no server will answer.
ASKING = """
import signal, threading, time
from concurrent.futures import ThreadPoolExecutor
from blocks.client import client
from blocks.scripted.local import scripted
from flows import stopping
from flows.cli.ending import Ending
from tests.blocks.client_asks import asks, echo, endpoint_of, latency

with scripted(echo(latency(600))) as url, Ending(), stopping.stoppable(), ThreadPoolExecutor(1) as pool:
    signal.signal(signal.SIGINT, lambda *_: None)
    pool.submit(client().ask_all, endpoint_of(url), asks(2), print, print)
    while not client().replicas() or client().replicas()[0].in_flight < 2:
        time.sleep(0.01)
    print("ready", flush=True)
"""


def test_requests_under_way_are_waited_for_until_a_second_ctrl_c() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ASKING], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().startswith("Stopping: 2 requests under way, up to 20 s.")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped. The same command goes on where it stopped." in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_does_not_wait_for_threads(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped. The same command goes on where it stopped." in said
    assert "Traceback" not in said


def test_a_run_that_stays_cancelling_ends_by_itself(prefect_harness: None) -> None:
    """As when it was cancelled, retried and cancelled again: Prefect's worker does nothing then."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(Flow(test_without_a_signal_nothing_stops, name="night"), state=Running()).id
        env = {**os.environ, "PREFECT__FLOW_RUN_ID": str(run), "PREFECT_API_URL": str(client.api_url)}
        stuck = STUCK.replace("stopping._GRACE_S = 0.2", "stopping._GRACE_S = stopping._ASK_EVERY_S = 0.2")
        process = subprocess.Popen([sys.executable, "-c", stuck], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        client.set_flow_run_state(run, Cancelling(), force=True)
        process.communicate(timeout=240)
        state = client.read_flow_run(run).state
    assert process.returncode == 0
    assert state is not None
    assert state.is_cancelled()


def test_without_a_signal_nothing_stops() -> None:
    code = "from flows.stopping import stoppable\nwith stoppable():\n    pass\nprint('went on')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"
