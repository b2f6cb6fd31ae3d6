"""The night's numbers as a scraper reads them."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from blocks.client import client
from blocks.fleet import Fleet
from blocks.server_process import free_port
from blocks.servers import ServerSpec
from nightschool.chunks import Chunk
from nightschool.errors import WorldError
from nightschool.wire import Ask, Message, Sampling
from tasks import progress
from tasks.metrics import metrics


def scrape(port: int) -> dict[tuple[str, str], float]:
    wanted = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    with urllib.request.urlopen(wanted) as answer:
        text = answer.read().decode()
    return {
        (sample.name, next(iter(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _replies(found: dict[tuple[str, str], float]) -> float:
    return sum(found.get(("nightschool_replies_total", f"t-{number}"), 0) for number in (0, 1))


def test_phases_and_servers(tmp_path: Path) -> None:
    spec = ServerSpec.model_validate({"name": "t", "engine": "scripted", "model": "t", "replicas": 2})
    port = free_port()
    with metrics(port), Fleet([spec], log_dir=tmp_path, on_progress=lambda _: None) as fleet:
        endpoint = fleet.start()["t"]
        before = _replies(scrape(port))  # of another test's server that had the same port
        counts = progress.track("probing", [Chunk("probing", "k", 0, 0, "x", rows=9)])
        counts.rows(4, reused=True)
        sampling, message = Sampling(temperature=0, max_tokens=9), (Message(role="user", content="hello"),)
        asks = [Ask(id=str(number), messages=message, sampling=sampling, seed=number) for number in range(20)]
        client().ask_all(endpoint, asks, lambda _: counts.rows(), lambda *failure: pytest.fail(str(failure)))
        found = scrape(port)
        assert found["nightschool_rows_done", "probing"] == 24
        assert found["nightschool_rows_reused", "probing"] == 4
        assert found["nightschool_rows_total", "probing"] == 9
        assert _replies(found) - before == 20
        assert found["nightschool_server_up", "t-0"] == found["nightschool_server_up", "t-1"] == 1
        assert found["nightschool_server_deaths_total", "t-0"] == 0
        assert found["nightschool_server_rss_bytes", "t-0"] > 1e7
    with pytest.raises(OSError, match="refused"):
        scrape(port)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WorldError, match=rf"127\.0\.0\.1:{port}.*metrics_port"), metrics(port):
            pass
