"""A key that a night uses is nowhere in what the night leaves: store, logs, Prefect's database, report, terminal."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RIGHT, WRONG = "canary-5f1d0c8e77aa41", "canary-0bad0bad0bad42"
RECIPE = """
name: paid
teachers: [{{name: ann, model: ann, engine: endpoint, urls: ["http://127.0.0.1:{port}/v1"], key_env: ANN_KEY}}]
pool: {{file: q.jsonl}}
answers: {{reply: text, prompt: p.txt, chunk_rows: 4}}
"""

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]


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


def night(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(folder / "prefect"), "ANN_KEY": key}
    env |= {"HOME": str(folder), "PREFECT_LOGGING_LEVEL": "DEBUG"}
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "flows.cli", "run", "paid.yaml"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False)


def test_no_key_is_left_anywhere(tmp_path: Path, port: int) -> None:
    (tmp_path / "paid.yaml").write_text(RECIPE.format(port=port))
    (tmp_path / "p.txt").write_text("[user]\n$question\n")
    (tmp_path / "q.jsonl").write_text("".join(f'{{"question": "{n}+1?"}}\n' for n in range(10)))
    refused, done = night(tmp_path, WRONG), night(tmp_path, RIGHT)
    assert (refused.returncode, done.returncode) == (2, 0), refused.stderr + done.stderr
    assert "401" in refused.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"report.html", "prefect.db", "night.json"}
    told = refused.stdout + refused.stderr + done.stdout + done.stderr
    for key in (RIGHT, WRONG):
        assert key not in told
        assert [path for path in files if key.encode() in path.read_bytes()] == []
