"""What tests of the world outside share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blocks.client import Client


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as one:
        yield one
