"""Keys: stable across runs and orders, different for different parts, never made from an unstable value."""

import math
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.identity import key

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Colour(StrEnum):
    RED = "red"


def test_golden() -> None:
    assert key("answers", 1, {"section": {"samples": 1, "prompt": "Löse: $question"}, "inputs": ["a", "b"]}) == (
        "18641308f649a697"
    )


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_order_of_keys_does_not_count(parts: dict[str, object]) -> None:
    assert key("p", 1, parts) == key("p", 1, dict(reversed(parts.items())))


@pytest.mark.parametrize(
    "other",
    [
        ("answers", 1, {"samples": 2}),
        ("answers", 2, {"samples": 1}),
        ("drafts", 1, {"samples": 1}),
        ("answers", 1, {"samples": 1.0}),
        ("answers", 1, {"samples": "1"}),
        ("answers", 1, {"samples": True}),
        ("answers", 1, {"samples": [1]}),
        ("answers", 1, {"samples": 1, "seed": None}),
    ],
)
def test_any_difference_counts(other: tuple[str, int, dict[str, object]]) -> None:
    assert key(*other) != key("answers", 1, {"samples": 1})


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, {1, 2}, b"x", Path("x"), datetime(2026, 1, 1, tzinfo=UTC), object(), Colour.RED, {1: "x"}],
)
def test_unstable_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"section\.deep\.0"):
        key("p", 1, {"section": {"deep": [value]}})
