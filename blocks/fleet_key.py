"""The key of our own model servers: of each fleet its own, or one for all while other processes must know it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

_shared: list[tuple[str, str]] = []


def fleet_key() -> tuple[str, str]:
    """A variable's name and the key to be in it. Only the name travels in endpoints, which are written down."""
    return _shared[-1] if _shared else _new()


def let_go(name: str) -> None:
    """Takes a fleet's variable out of the environment, unless it is everybody's."""
    if name not in (shared for shared, _ in _shared):
        os.environ.pop(name, None)


@contextmanager
def one_key() -> Iterator[None]:
    """While inside, all fleets have the same key, and processes that are started find it in their environment."""
    name, key = _new()
    _shared.append((name, key))
    os.environ[name] = key
    try:
        yield
    finally:
        _shared.remove((name, key))
        os.environ.pop(name, None)


def _new() -> tuple[str, str]:
    return f"NIGHTSCHOOL_KEY_{secrets.token_hex(4).upper()}", secrets.token_hex(32)
