"""As much of a hub as the datasets library asks for when it brings a data set: listings, metadata, files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "e53f048856ff4f594e959d75785d2c2d37b678ee"


class Hub(ThreadingHTTPServer):
    """Serves `files` (path to content) as the data set `name`, to those with the `token` if it wants one."""

    def __init__(self, name: str, files: Mapping[str, bytes], token: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.files, self.token = name, dict(files), token
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def hub_of(name: str, files: Mapping[str, bytes], *, token: str | None = None) -> Iterator[Hub]:
    """A hub on loopback with one data set."""
    hub = Hub(name, files, token)
    Thread(target=hub.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Hub  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}").get("paths", [])
        self.do_GET([path for path in asked if path in self.server.files])

    def do_GET(self, asked: list[str] | None = None) -> None:
        hub, url = self.server, urlsplit(self.path)
        path = unquote(url.path)
        hub.asked.append(f"{self.command} {path}")
        api, data = f"/api/datasets/{hub.name}", f"/datasets/{hub.name}/resolve/"
        if hub.token and self.headers["Authorization"] != f"Bearer {hub.token}":
            self.answer(401, b'{"error": "Access to this data set is restricted."}', {"X-Error-Code": "GatedRepo"})
        elif path.startswith((f"{api}/tree/", f"{api}/paths-info/")):
            folder = Path(path.partition("/tree/")[2].partition("/")[2])
            deep = parse_qs(url.query).get("recursive", [""])[0].lower() in ("true", "1")
            found = self.under(folder, deep=deep) if asked is None else map(self.listed, asked)
            self.answer(200, json.dumps(list(found)).encode())
        elif path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            siblings = [{"rfilename": name} for name in hub.files]
            record = {"_id": "1", "id": hub.name, "sha": COMMIT, "private": False, "gated": bool(hub.token),
                      "disabled": False, "downloads": 0, "likes": 0, "tags": [], "siblings": siblings}  # fmt: skip
            self.answer(200, json.dumps(record).encode())
        elif path.startswith(data) and path.removeprefix(data).partition("/")[2] in hub.files:
            content = hub.files[path.removeprefix(data).partition("/")[2]]
            self.answer(200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})
        else:
            code = "EntryNotFound" if path.startswith(data) else "RepoNotFound"
            self.answer(404, b'{"error": "not found"}', {"X-Error-Code": code})

    def under(self, folder: Path, *, deep: bool) -> Iterator[dict[str, object]]:
        """Files and folders in this folder, and in those within it if asked for."""
        inside = [Path(name).relative_to(folder) for name in self.server.files if Path(name).is_relative_to(folder)]
        for parent in sorted({parent for one in inside for parent in one.parents if parent.parts}):
            if deep or len(parent.parts) == 1:
                yield {"type": "directory", "oid": COMMIT, "size": 0, "path": str(folder / parent)}
        yield from (self.listed(str(folder / one)) for one in inside if deep or len(one.parts) == 1)

    def listed(self, name: str) -> dict[str, object]:
        content = self.server.files[name]
        return {"type": "file", "oid": _oid(content), "size": len(content), "path": name}

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        pass


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
