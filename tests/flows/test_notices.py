"""How a night ended is told whatever happened to it; what cannot be told stops nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from prefect import flow

from blocks.server_process import free_port
from flows.notices import Notices
from flows.skipping import skip
from nightschool.errors import RecipeError
from tests.half_night import Make

pytestmark = pytest.mark.usefixtures("prefect_harness")


class Hook(BaseHTTPRequestHandler):
    """Keeps the titles and texts of what it is told."""

    def do_POST(self) -> None:
        found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append(f"{found['title']}\n{found['message']}")  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What came to the address that HOOK holds; DEAF holds one where nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.heard = []  # type: ignore[attr-defined]
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.server_port}/token")
        monkeypatch.setenv("DEAF", f"http://127.0.0.1:{free_port()}/token")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.heard  # type: ignore[attr-defined]
        server.shutdown()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RecipeError("the row says: a secret of the rows"), "was refused: its recipe or its data must be changed"),
        (ZeroDivisionError("a secret of the rows"), "broke down"),
        (KeyboardInterrupt(), ""),
    ],
)
def test_a_night_without_a_report_is_told_of(make: Make, heard: list[str], error: BaseException, told: str) -> None:
    night = make("notify={to: [env/DEAF, env/UNSET, env/HOOK], on: [failure]}")

    @flow(name="night")
    def broken() -> None:
        with Notices(night) as notices:
            notices.started()
            raise error

    with pytest.raises(type(error)):
        broken()
    assert [text.partition("\n")[0] for text in heard] == ([f"Night {night.name} {told}"] if told else [])
    assert "secret" not in "".join(heard)


def test_what_is_left_out_says_why() -> None:
    assert skip.fn("dpo", "second", "gate good-enough").name == "Skipped: gate good-enough"
