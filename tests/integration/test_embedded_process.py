"""How the embedded server ends: on SIGTERM, and for a model, an adapter or a port that it cannot use."""

from __future__ import annotations

import http.client
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.embedded_process import await_healthy, call, server
from tests.integration.random_qwen2 import make, make_adapter

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("process") / "base", hidden=64, layers=2)


def test_sigterm_ends_it_at_once_though_it_is_busy(folder: Path) -> None:
    with server("--model", str(folder), "--name", "base") as (port, process):
        await_healthy(port, process)
        body = {"model": "base", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 480, "n": 500}
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(call, port, "POST", "/v1/chat/completions", body)
            call(port, "POST", "/v1/chat/completions", {**body, "n": 1, "max_tokens": 1})
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0
            assert isinstance(asked.exception(), (OSError, http.client.HTTPException))


def _refusal(*flags: str) -> tuple[int, str]:
    with server(*flags) as (_, process):
        _, error = process.communicate(timeout=120)
    assert len(error.splitlines()) == 1, error
    return process.returncode, error


def test_a_missing_model_is_one_line_and_exit_2(tmp_path: Path) -> None:
    code, error = _refusal("--model", str(tmp_path), "--name", "base")
    assert code == 2
    assert "config.json" in error


def test_a_broken_model_is_one_line_and_exit_2(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(
            file.read_bytes()[:1000] if file.suffix == ".safetensors" else file.read_bytes()
        )
    code, error = _refusal("--model", str(tmp_path), "--name", "base")
    assert code == 2
    assert "cannot be loaded" in error


def test_an_adapter_of_another_base_is_one_line_and_exit_2(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", hidden=64, layers=2, seed=1)
    code, error = _refusal(
        "--model", str(folder), "--name", "b", "--adapter", f"x={make_adapter(other, tmp_path / 'x')}"
    )
    assert code == 2
    assert "another base" in error


def test_a_taken_port_is_one_line_and_exit_3(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, error = _refusal("--model", str(folder), "--name", "base", "--port", port)
    assert code == 3
    assert port in error
