"""A served student's prompts against those that it was trained on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import orjson
import pytest

from nightschool.errors import DataError, WorldError
from nightschool.rendering import PROBES_FILE, Probe, Probes
from nightschool.wire import Endpoint, Message
from tasks.rendering import compared


class Letters(BaseHTTPRequestHandler):
    """A server of one token a character, whose template ends as its path says."""

    def do_POST(self) -> None:
        asked = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = self.path in ("/tokenize", "/odd/tokenize")
        text = "".join(f"<{turn['role']}>{turn['content']}" for turn in asked["messages"])
        text += "<think>" if "odd" in self.path else "<assistant>"
        body = orjson.dumps({"tokens": [ord(one) for one in text], "token_strs": list(text)})
        self.send_response(200 if known else 500 if "broken" in self.path else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's word
        pass


@pytest.fixture
def base() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Letters)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    text = "<user>Is it?<assistant>"
    probe = Probe(
        id="q1",
        messages=(Message(role="user", content="Is it?"),),
        ids=tuple(map(ord, text)),
        pieces=tuple(text),
    )
    (tmp_path / PROBES_FILE).write_text(Probes(probes=(probe,)).model_dump_json())
    return tmp_path


def test_a_server_with_the_same_template_is_compared(base: str, trained: Path) -> None:
    assert compared(Endpoint(model="sft", urls=(f"{base}/v1",)), trained) == {"compared": 1}


def test_a_server_with_another_template_is_refused_with_the_first_difference(base: str, trained: Path) -> None:
    said = re.escape("sft: in the prompt of row q1, token 13 is 'a' (97) as trained and 't' (116) as served")
    with pytest.raises(DataError, match=said):
        compared(Endpoint(model="sft", urls=(f"{base}/odd/v1",)), trained)


def test_a_server_that_tells_no_tokens_is_compared_with_none(base: str, trained: Path) -> None:
    assert compared(Endpoint(model="sft", urls=(f"{base}/none/v1",)), trained) == {"compared": 0}


def test_a_server_in_trouble_is_the_world(base: str, trained: Path) -> None:
    with pytest.raises(WorldError, match="says 500"):
        compared(Endpoint(model="sft", urls=(f"{base}/broken/v1",)), trained)
