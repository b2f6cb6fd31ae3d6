"""Nights in a browser, on loopback: which there are, each one's grid of chunks, report, recipe, logs and spot check.

Nothing but these is given out: a path is matched as a whole, and a file must lie in its night's folder. A request that
names another host than this machine is refused, so that no page of the web can read along by a name of its own. Nothing
is taken in but verdicts of a spot check, from its own page (`flows/press.py`); the rest is read-only.
"""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import orjson
from rich.console import Console

from blocks import pages
from flows import judging
from flows.press import Press, Refused, is_local, received
from nightschool.errors import NightError
from nightschool.report.spot_check_page import POLICY
from tasks.night import Night

HOST = "127.0.0.1"
# A connection on which nothing is said any more.
_QUIET_S = 60
# By this a report knows that links to the pages beside it lead somewhere: from a disk they would not.
_SERVED = (b"<html ", b"<html data-served ")
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
    at = pages.shown(night.dir, night.store.place)
    if at is None:
        return f"- Report: `nightschool report {name} --open`\n- Chunks: `nightschool status {name} --follow`\n"
    spot = f"- [Spot check]({at}spot-check): are 20 rows of what is taught good?\n" if night.recipe.rules else ""
    return (
        f"- [Report]({at}report.html), once the night has one\n"
        f"{spot}"
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


class _Reply(NamedTuple):
    body: bytes
    kind: str = "text/plain"
    status: int = 200
    headers: Mapping[str, str] = {}


_NO_PAGE = _Reply(b"There is no such page.\n", status=404)


class _Pages(BaseHTTPRequestHandler):
    timeout = _QUIET_S

    def do_GET(self) -> None:
        self._send(lambda: (_answer(self.path) if is_local(self.headers) else None) or _NO_PAGE)

    def do_POST(self) -> None:
        self._send(lambda: _pressed(self.path, received(self.headers, self.rfile)))

    def _send(self, made: Callable[[], _Reply]) -> None:
        try:
            reply = made()
        except Refused as err:
            reply = _Reply(f"{err}\n".encode(), status=err.status)
        except NightError as err:
            reply = _Reply(f"{err}\n".encode(), status=500)
        except Exception:  # noqa: BLE001 - whoever pressed a button is told so, and the terminal says why
            traceback.print_exc()
            reply = _Reply(b"This failed; the terminal of nightschool up says why.\n", status=500)
        self.send_response(reply.status)
        headers = {
            "Content-Type": f"{reply.kind}; charset=utf-8",
            "Content-Length": str(len(reply.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Nothing: the terminal is for the nights."""


def _answer(target: str) -> _Reply | None:
    """The page at a path; None if there is none."""
    path, _, query = target.partition("?")
    name, _, rest = path.lstrip("/").partition("/")
    if not name:
        return _Reply(_index(), "text/html")
    folder = pages.folder_of(name)
    if folder is None:
        return None
    if not rest:
        return _Reply(_night(folder, name), "text/html")
    if rest == "status" or rest.startswith("status/"):
        found = _status(folder, rest.partition("/")[2] or None)
        return _Reply(found, "text/html") if found else None
    if rest == "spot-check":
        return _form(judging.page(name, parse_qs(query).get("who", [""])[0]))
    return _file(folder, rest)


def _pressed(target: str, said: Press) -> _Reply:
    """What comes of a verdict: the page anew, or with why it was not taken."""
    name, _, rest = target.partition("?")[0].lstrip("/").partition("/")
    if rest != "spot-check":
        return _NO_PAGE
    if refused := judging.judge(name, said):
        return _form(judging.page(name, said.who, refused), status=400) or _NO_PAGE
    return _Reply(b"", status=303, headers={"Location": judging.place(said)})


def _form(body: bytes | None, status: int = 200) -> _Reply | None:
    """A page with buttons: it may say to this server, and to nobody else, where a press comes from."""
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
    return _Reply(body, "text/html", status, headers) if body else None


def _file(folder: Path, name: str) -> _Reply | None:
    file = folder / name
    if not _FILE.fullmatch(name) or not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        return None
    data = file.read_bytes()
    return _Reply(data.replace(*_SERVED, 1) if name == "report.html" else data, _KINDS.get(file.suffix, "text/plain"))


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


def _night(folder: Path, shelved: str) -> bytes:
    files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/*") if path.is_file())
    found = [name for name in files if _FILE.fullmatch(name)]
    made = ["status", *(["spot-check"] if judging.judged(shelved) else [])]
    items = "".join(f'<li><a href="{escape(name)}">{escape(name)}</a>' for name in [*made, *found])
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
