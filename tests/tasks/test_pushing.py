"""Pushing to a hub: a server on loopback that plays as much of its API as the client asks for."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from nightschool.errors import DataError, RecipeError, Refused, WorldError
from tasks.packing import pack
from tasks.pushing import prepare
from tests.tasks.test_packing import report, trained

TOKEN = "hf_not_to_be_seen_by_anybody"


class Hub(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.made: list[dict] = []
        self.refuses = False
        self.tokens: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.body()
        self.server.tokens.add(self.headers["Authorization"])
        if self.server.refuses:
            self.answer(403, {"error": f"no rights for {self.headers['Authorization']}"})
        elif self.path == "/api/validate-yaml":
            self.answer(200, {"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            self.server.made.append(json.loads(body))
            self.answer(200, {"url": f"{self.server.url}/me/mine"})
        elif "/preupload/" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]
            self.answer(200, {"files": modes})
        else:
            for line in filter(None, body.splitlines()):
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.server.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            oid = "0" * 40
            self.answer(
                200, {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/me/mine/commit/{oid}"}
            )

    def body(self) -> bytes:
        if length := self.headers["Content-Length"]:
            return self.rfile.read(int(length))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        return b"".join(parts)

    def answer(self, status: int, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        return


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    server.shutdown()


def test_a_package_goes_to_the_hub_as_it_was_packed(tmp_path: Path, hub: Hub) -> None:
    night = trained(tmp_path)
    pack(night, report(night))
    told = CliRunner().invoke(
        app, ["push", "choosing", "--to", "hub:me/mine", "--private", "--store", str(tmp_path / "runs")]
    )
    assert told.exit_code == 0, told.exception
    folder = night.dir / "package" / "sft"
    assert set(hub.files) == {"README.md", "adapter_model.safetensors", "adapter_config.json", "tokenizer.json"}
    assert hub.files["adapter_model.safetensors"] == b"weights"
    assert hub.files["README.md"] == (folder / "README.md").read_bytes()
    assert hub.made[0]["visibility"] == "private"
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert "/me/mine/commit/" in told.stdout
    assert TOKEN not in told.output


def test_a_dry_run_sends_nothing(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    night = trained(tmp_path)
    pack(night, report(night))
    monkeypatch.delenv("HF_TOKEN")
    told = CliRunner().invoke(
        app, ["push", "choosing", "--to", "hub:me/mine", "--dry-run", "--store", str(tmp_path / "runs")]
    )
    assert "would go to me/mine; nothing was sent" in told.stdout
    assert "adapter_model.safetensors" in told.stdout
    assert not hub.tokens


def test_a_hub_that_refuses_is_told_without_the_token(tmp_path: Path, hub: Hub) -> None:
    night = trained(tmp_path)
    pack(night, report(night))
    hub.refuses = True
    with pytest.raises(WorldError, match="me/mine could not be pushed") as caught:
        prepare(night, "hub:me/mine", None, None).send(private=False)
    assert TOKEN not in str(caught.value)


def test_what_can_not_be_pushed_is_refused(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    night = trained(tmp_path)
    with pytest.raises(WorldError, match="packed nothing"):
        prepare(night, "hub:me/mine", None, None)
    pack(night, report(night))
    for to, stage, form in (("me/mine", None, None), ("hub:me/mine", "dpo", None), ("hub:me/mine", None, "merged")):
        with pytest.raises(RecipeError):
            prepare(night, to, stage, form)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(RecipeError, match="no token"):
        prepare(night, "hub:me/mine", None, None).send(private=False)
    tokenizer = night.dir / "package" / "sft" / "adapter" / "tokenizer.json"
    tokenizer.unlink()  # it is a link to the store's
    tokenizer.write_bytes(b"other")
    with pytest.raises(DataError, match=r"tokenizer\.json: is not as it was packed"):
        prepare(night, "hub:me/mine", None, None)
    assert not hub.tokens


def test_what_a_licence_keeps_from_others_is_pushed_in_private_only(tmp_path: Path, hub: Hub) -> None:
    night = trained(tmp_path, "teachers.0.model=gpt-4.1-nano-2025-04-14")
    pack(night, report(night))
    with pytest.raises(Refused, match="--private"):
        prepare(night, "hub:me/mine", None, None).send(private=False)
    assert not hub.tokens
    prepare(night, "hub:me/mine", None, None).send(private=True)
    assert hub.files
