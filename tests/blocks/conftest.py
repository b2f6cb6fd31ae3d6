"""What tests of the world outside share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.client import Client


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as one:
        yield one


@pytest.fixture(params=["memory", "file", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    place = f"there-{uuid.uuid4().hex}"
    if request.param == "s3":
        request.getfixturevalue("s3")
        return f"s3://nights/{place}"
    return f"memory://{place}" if request.param == "memory" else f"file://{tmp_path / place}"
