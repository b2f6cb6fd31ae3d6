"""A PostgreSQL of the test's own on loopback, as Debian installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blocks import guard
from blocks.server_process import free_port
from tests.blocks.fleets import until

_NOBODY = 65534


def programs() -> Path:
    """Where PostgreSQL's programs lie; Debian keeps those of its server off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    return Path(initdb).resolve().parent


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database; the server and its files go with the block. It refuses root, so nobody runs it."""
    home, port = programs(), free_port()
    is_root = os.geteuid() == 0
    drop = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="nightschool-postgres-") as name:
        folder = Path(name)
        if is_root:
            os.chown(folder, _NOBODY, _NOBODY)
        made = [*drop, home / "initdb", "--auth=trust", "--username=prefect", "--no-sync", "-D", folder / "data"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        said = ["-D", folder / "data", "-h", "127.0.0.1", "-p", port, "-k", folder, "-F"]
        with (folder / "log").open("wb") as log:
            server = guard.start([str(word) for word in [*drop, home / "postgres", *said]], log=log)
        try:
            reach = ["-h", "127.0.0.1", "-p", str(port), "-U", "prefect"]
            ready = [home / "pg_isready", "-q", *reach[:4]]
            until(lambda: subprocess.run(ready).returncode == 0)
            subprocess.run([home / "createdb", *reach, "prefect"], check=True, capture_output=True)
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
        finally:
            guard.end(server)
