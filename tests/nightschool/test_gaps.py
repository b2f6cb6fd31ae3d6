"""How many rows may fail."""

import pytest

from nightschool.gaps import allowed_rows


@pytest.mark.parametrize(
    ("limit", "rows", "allowed"),
    [(0, 1000, 0), (0.02, 1000, 20), (0.02, 8, 1), (0.02, 0, 0), (1, 1000, 1), (30, 10, 30)],
)
def test_a_share_below_one_and_a_count_from_there(limit: float, rows: int, allowed: int) -> None:
    assert allowed_rows(limit, rows) == allowed
