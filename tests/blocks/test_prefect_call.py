"""Requests to Prefect's server, which says 503 while its database is locked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from blocks import prefect_server


class Locked(BaseHTTPRequestHandler):
    """Answers 503 twice, then as asked."""

    def do_DELETE(self):
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(204 if len(self.server.asked) > 2 else 503)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object):  # noqa: A002
        pass


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    monkeypatch.setattr(prefect_server, "_PAUSES_S", (0.01, 0.01, 0.01))
    with HTTPServer((prefect_server.HOST, 0), Locked) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_locked_database_is_asked_again(locked):
    assert prefect_server.call(locked.server_port, "DELETE", "/thing") == (204, None)
    assert locked.asked == ["/api/thing"] * 3  # type: ignore[attr-defined]


def test_one_that_stays_locked_is_said(locked, monkeypatch):
    monkeypatch.setattr(prefect_server, "_PAUSES_S", (0.01,))
    assert prefect_server.call(locked.server_port, "DELETE", "/thing") == (503, None)
