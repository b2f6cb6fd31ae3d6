"""Seeds from names: the same row asks the same, wherever and whenever it runs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable


def seed_of(*parts: object) -> int:
    """A number in [0, 2**31) from the text of its parts (strings and integers)."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def drawn(names: Iterable[str], count: int, *parts: object) -> frozenset[str]:
    """So many of the names, by the seed that the parts make: more of them take in fewer of them."""
    return frozenset(sorted(names, key=lambda name: (seed_of(*parts, name), name))[:count])


def rng_of(*parts: object) -> random.Random:
    """A random source of its own for the thing that the parts name."""
    return random.Random(seed_of(*parts))
