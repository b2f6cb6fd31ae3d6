"""Nights in a browser, on loopback and read-only: which there are, each one's grid of chunks, report, recipe and logs.

Nothing but these is given out: a path is matched as a whole, and a file must lie in its night's folder. A request that
names another host than this machine is refused, so that no page of the web can read along by a name of its own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import orjson
from rich.console import Console

from blocks import pages
from nightschool.errors import NightError
from tasks.night import Night

HOST = "127.0.0.1"
_FILE = re.compile(
    r"report\.(html|json)|run\.json|night\.(json|log)|recipe\.resolved\.yaml"
    r"|against-[a-z0-9._-]+\.html|servers/[\w.-]+\.log"
)
_KINDS = {".html": "text/html", ".json": "application/json"}
_REFRESH_S = 10
_HEAD = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>{refresh}<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ overflow-x: auto; font: 13px/1.35 ui-monospace, monospace }}
li {{ margin: .3rem 0 }} small {{ opacity: .7 }}
</style><h1>{title}</h1>
"""


def links(night: Night) -> str:
    """Where a person looks at this night, in Markdown: pages if they are served here, else files and commands."""
    name = f"{night.name}{night.where}"
    at = pages.shown(night.dir)
    if at is None:
        return f"- Report: `nightschool report {name} --open`\n- Chunks: `nightschool status {name} --follow`\n"
    return (
        f"- [Report]({at}report.html), once the night has one\n"
        f"- [Every chunk, as it stands now]({at}status)\n"
        f"- [Recipe as it was resolved]({at}recipe.resolved.yaml)\n"
        f"- [Logs and other files]({at})\n"
    )


@contextmanager
def served(port: int) -> Iterator[str]:
    """The pages at their address, as long as the block is open; on any free port if this one is taken."""
    try:
        server = ThreadingHTTPServer((HOST, port), _Pages)
    except OSError:
        server = ThreadingHTTPServer((HOST, 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        found = _answer(self.path.partition("?")[0]) if host in (HOST, "localhost") else None
        body, kind, status = (*found, 200) if found else (b"There is no such page.\n", "text/plain", 404)
        self.send_response(status)
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Nothing: the terminal is for the nights."""


def _answer(path: str) -> tuple[bytes, str] | None:
    """The page at a path and its media type; None if there is none."""
    name, _, rest = path.lstrip("/").partition("/")
    if not name:
        return _index(), "text/html"
    folder = pages.folder_of(name)
    if folder is None:
        return None
    if not rest:
        return _night(folder), "text/html"
    if rest == "status" or rest.startswith("status/"):
        found = _status(folder, rest.partition("/")[2] or None)
        return (found, "text/html") if found else None
    return _file(folder, rest)


def _file(folder: Path, name: str) -> tuple[bytes, str] | None:
    file = folder / name
    if not _FILE.fullmatch(name) or not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        return None
    return file.read_bytes(), _KINDS.get(file.suffix, "text/plain")


def _page(title: str, body: str, refresh_s: int = 0) -> bytes:
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (_HEAD.format(title=escape(title), refresh=refresh) + body).encode()


def _index() -> bytes:
    rows = []
    for name in pages.names():
        folder = pages.folder_of(name)
        if folder:
            rows.append(
                f'<li><a href="/{name}/">{escape(folder.name)}</a> {escape(_verdict(folder))} '
                f"<small>{escape(str(folder))}</small>"
            )
    return _page("Nights", f"<ul>{''.join(rows)}</ul>" if rows else "<p>No night was begun here yet.</p>")


def _verdict(folder: Path) -> str:
    try:
        return orjson.loads((folder / "report.json").read_bytes())["night"]["verdict"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return "no report yet"


def _night(folder: Path) -> bytes:
    files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/*") if path.is_file())
    found = [name for name in files if _FILE.fullmatch(name)]
    items = "".join(f'<li><a href="{escape(name)}">{escape(name)}</a>' for name in ["status", *found])
    return _page(folder.name, f"<p>{escape(_verdict(folder))}</p><ul>{items}</ul>")


def _status(folder: Path, phase: str | None) -> bytes | None:
    """The grid that the terminal shows, kept fresh."""
    from flows.cli import grid
    from tasks.status import status

    console = Console(record=True, width=150, file=StringIO(), highlight=False, markup=False)
    try:
        found = status(Night.open(folder.parents[1], folder.name), phase)
    except NightError:
        return None
    console.print(grid.view(found))
    text = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
    back = '<p><a href="./">Report, recipe and logs</a></p>' if phase is None else '<p><a href="../status">All</a></p>'
    phases = "".join(f'<a href="status/{one.phase}">{one.phase}</a> ' for one in found.phases) if phase is None else ""
    return _page(folder.name, f"{text}<p>{phases}</p>{back}", _REFRESH_S if found.running else 0)
