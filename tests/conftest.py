"""What tests of several layers share."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from blocks import guard
from blocks.server_process import free_port
from tests.blocks.fleets import until
from tests.half_night import Make, maker

# Read by the server that the harness starts: it would try to reach the outside.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# A test's night waits for no other session's.
os.environ["NIGHTSCHOOL_TURNS"] = "off"


# How long an example takes says something of the machine, and nothing of the rule.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


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


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server on loopback that speaks S3, with a bucket `nights`: the environment in which it is found."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    import botocore.session

    port = free_port()
    found = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path_factory.mktemp("s3") / "log").open("wb") as log:
        server = guard.start(command, log=log)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in found.items():
                patch.setenv(name, value)
            until(lambda: _listens(port))
            botocore.session.get_session().create_client("s3").create_bucket(Bucket="nights")
            yield found
    finally:
        guard.end(server)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Plans nights of one small recipe in this test's own store."""
    return maker(tmp_path)
