"""What tests of several layers share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.half_night import Make, maker

# Read by the server that the harness starts: it would try to reach the outside.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")


@pytest.fixture(scope="session")
def prefect_harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server of this session's own, for tests that call a flow; takes ten seconds once.

    Heartbeats are off: each flow call would wait a second for their thread. Results go to a folder of the session's
    own, which the harness alone doesn't see to.
    """
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, PREFECT_LOCAL_STORAGE_PATH, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    results = tmp_path_factory.mktemp("prefect-results")
    with (
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOCAL_STORAGE_PATH: results}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Plans nights of one small recipe in this test's own store."""
    return maker(tmp_path)
