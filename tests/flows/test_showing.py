"""A server that is away ends no night: what it cannot show is not shown."""

from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.server_process import free_port
from flows import showing


def test_without_a_server_nothing_is_shown_and_the_night_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    monkeypatch.setattr(showing.time, "sleep", tried.append)
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}), pytest.warns(FutureWarning):
        assert showing.create_markdown_artifact("report", key="report") is None
    assert set(tried) >= set(showing._PAUSES_S)
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        showing.update_progress_artifact(uuid4(), progress=50.0, description="half")
