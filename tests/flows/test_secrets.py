"""Keys that a night uses are nowhere in what it leaves: store, logs, Prefect's database, report, terminal, messages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blocks import prefect_server
from blocks.server_process import free_port

ROOT = Path(__file__).parents[2]
RIGHT, WRONG, TOKEN = "canary-5f1d0c8e77aa41", "canary-0bad0bad0bad42", "canary-70ce11aa9d1c43"
MAIL, STORE, SERVER, HUB = "canary-3a11aa9d1c44", "canary-570e00ce45", "canary-5e77e00d46", "canary-4b0000cafe47"
CANARIES = (RIGHT, WRONG, TOKEN, MAIL, STORE, SERVER, HUB)
RECIPE = """
name: paid
{store}
teachers: [{{name: ann, model: ann, {ann}}}]
pool: {{file: q.jsonl}}
answers: {{reply: text, prompt: p.txt, chunk_rows: 4}}
notify: {{to: {to}}}
"""
SAVE = f"""
import os, sys
from pydantic import SecretStr
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from blocks.registered import Endpoint, Notifier, Store
port, hook = sys.argv[1:]
Endpoint(urls=[f"http://127.0.0.1:{{port}}/v1"], key=SecretStr("{RIGHT}")).save("ann")
Store(url="file://" + os.getcwd() + "/there", key=SecretStr("{STORE}")).save("nights")
Notifier(url=SecretStr(f"http://127.0.0.1:{{hook}}/ours/{TOKEN}")).save("ours")
CustomWebhookNotificationBlock.register_type_and_schema()
address = f"http://127.0.0.1:{{hook}}/theirs/{{{{{{{{token}}}}}}}}"
CustomWebhookNotificationBlock(
    name="x", url=address, json_data={{"text": "{{{{subject}}}}: {{{{body}}}}"}}, secrets={{"token": "{TOKEN}"}}
).save("theirs")
"""

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that wants the right key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    env = {**os.environ, "NIGHTSCHOOL_API_KEY": RIGHT, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "blocks.scripted", "--port", str(number), "--behaviour", "echo", "--name", "ann"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "serving ann" in process.stderr.readline()
        yield number
        process.terminate()


class Hook(BaseHTTPRequestHandler):
    """Takes messages and keeps them, each with the path that it came to."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def hook() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.heard = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def begin(folder: Path, **recipe: str) -> None:
    (folder / "paid.yaml").write_text(RECIPE.format(**recipe))
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "q.jsonl").write_text("".join(f'{{"question": "zebra {n}?"}}\n' for n in range(10)))


def python(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "prefect"), "HOME": str(folder)}
    env |= {"PREFECT_LOGGING_LEVEL": "DEBUG", "HF_TOKEN": HUB} | more
    if "PREFECT_API_URL" not in more:
        env.pop("PREFECT_API_URL", None)
    command = (sys.executable, *command)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False)


def look(folder: Path, told: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"report.html", "prefect.db", "night.json"}
    for key in CANARIES:
        assert key not in told
        assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_no_key_is_left_by_a_night_that_is_refused_and_told_to_nobody(tmp_path: Path, port: int) -> None:
    ann = f'engine: endpoint, urls: ["http://127.0.0.1:{port}/v1"], key_env: ANN_KEY'
    begin(tmp_path, store="", ann=ann, to="[env/HOOK, env/MAIL]")
    hook = f"http://127.0.0.1:{free_port()}/{TOKEN}"
    mail = f"mailto://me:{MAIL}@127.0.0.1:{free_port()}?to=you@example.org&from=me@example.org"
    refused = python(tmp_path, "-m", "flows.cli", "run", "paid.yaml", ANN_KEY=WRONG, HOOK=hook, MAIL=mail)
    assert refused.returncode == 2, refused.stderr
    assert "401" in refused.stderr
    for recipient in ("env/HOOK", "env/MAIL"):
        assert f"{recipient} could not be told" in (tmp_path / "runs/nights/paid/night.log").read_text()
    look(tmp_path, refused.stdout + refused.stderr)


def test_no_key_of_a_block_is_left_and_the_morning_is_told(
    tmp_path: Path, port: int, hook: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = "[block/ours, block/custom-webhook/theirs]"
    begin(tmp_path, store="store: block/nights", ann="endpoint: block/ann", to=to)
    for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, f"me:{SERVER}")
    prefect, home = free_port(), tmp_path / "prefect"
    home.mkdir()
    with prefect_server.server(prefect, home):
        url = f"http://127.0.0.1:{prefect}/api"
        registered = python(tmp_path, "-m", "flows.cli", "blocks", "register", PREFECT_API_URL=url)
        assert registered.returncode == 0, registered.stderr
        saved = python(tmp_path, "-c", SAVE, str(port), str(hook.server_port), PREFECT_API_URL=url)
        assert saved.returncode == 0, saved.stderr
        done = python(tmp_path, "-m", "flows.cli", "run", "paid.yaml", PREFECT_API_URL=url)
    assert done.returncode == 0, done.stderr
    heard = hook.heard  # type: ignore[attr-defined]
    assert sorted(path for path, _ in heard) == sorted(2 * [f"/ours/{TOKEN}", f"/theirs/{TOKEN}"])
    texts = [json.dumps(body) for _, body in heard]
    assert sum("Night paid has started" in text for text in texts) == 2
    assert sum("Report: " in text and "First thing to do: " in text for text in texts) == 2
    assert "zebra" not in "".join(texts)
    look(tmp_path, "".join([done.stdout, done.stderr, *texts]))
