"""Text that can't harm the reader, numbers as a person says them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.report.text import MAX_CHARS, clean, duration, percent, points, size


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, ünïcode 日本語 مرحبا \n\t", "plain, ünïcode 日本語 مرحبا \n\t"),
        ("a\u202eb\u2066c", "a⟨U+202E⟩b⟨U+2066⟩c"),
        ("zero\u200bwidth\x00nul\x1b[31m", "zero⟨U+200B⟩width⟨U+0000⟩nul⟨U+001B⟩[31m"),
        ("lone \ud800 surrogate", "lone ⟨U+D800⟩ surrogate"),
        ("tag\U000e0041", "tag⟨U+E0041⟩"),
        ("z" + "\u0301" * 90, "z" + "\u0301" * 4),
    ],
)
def test_characters_that_hide_or_reorder_are_written_out(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_long_text_is_cut_with_a_note_of_its_length() -> None:
    text = clean("x" * 100_000)
    assert text.startswith("x" * MAX_CHARS)
    assert text.endswith("(cut here: 100,000 characters in all)")
    assert len(text) < MAX_CHARS + 80


@given(st.text(max_size=300), st.integers(1, 60))
def test_clean_text_is_encodable_and_stays_as_it_is(text: str, times: int) -> None:
    once = clean(text * times)
    once.encode()
    assert clean(once) == once


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.0421, "0.042 s"),
        (0.5, "0.5 s"),
        (0.9996, "1.0 s"),
        (8.14, "8.1 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7501, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_shares_gains_and_sizes() -> None:
    assert percent(0.4823) == "48.2%"
    assert (points(0.219), points(-0.004)) == ("+21.9", "−0.4")  # noqa: RUF001 - a true minus sign
    assert (size(512), size(3 << 20), size(1610612736)) == ("512 B", "3 MiB", "1.5 GiB")
