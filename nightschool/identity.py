"""From what decides a result to a short name for it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256

KEY_CHARS = 16


def key(phase: str, version: int, parts: Mapping[str, object]) -> str:
    """Name the result of a phase by everything that decides it: equal parts, equal key, on any machine.

    Args:
        phase: stem of the phase.
        version: RULES_VERSION of the phase's rule.
        parts: its recipe section, prompt texts included, and the keys of its inputs; None, bool, int, finite float,
            str, and lists, tuples and mappings of these.

    Raises:
        TypeError: a value has no stable serialisation, NaN and infinity included; the message holds its path.
    """
    for name, value in parts.items():
        _refuse_unstable(name, value)
    text = json.dumps(
        {"phase": phase, "version": version, "parts": dict(parts)},
        sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False,
    )  # fmt: skip
    return sha256(text.encode("ascii")).hexdigest()[:KEY_CHARS]


def _refuse_unstable(path: str, value: object) -> None:
    # Exact types: a subclass (an enum, numpy's float) may be serialised one way today and another way tomorrow.
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return
    if isinstance(value, float) and kind is float and math.isfinite(value):
        return
    if isinstance(value, list | tuple) and kind in (list, tuple):
        for index, item in enumerate(value):
            _refuse_unstable(f"{path}.{index}", item)
    elif isinstance(value, dict) and kind is dict:
        for name, item in value.items():
            if type(name) is not str:
                raise TypeError(f"{path}: the mapping has a key that is no string: {name!r:.80}")
            _refuse_unstable(f"{path}.{name}", item)
    else:
        raise TypeError(f"{path}: {value!r:.80} ({kind.__name__}) has no stable serialisation")
