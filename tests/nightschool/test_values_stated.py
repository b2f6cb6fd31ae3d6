"""How sure a reply says it is: a line of its own, percent or share, the last one, nothing out of range."""

from __future__ import annotations

import pytest

from nightschool.values.stated import stated


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("so \\boxed{7}\nConfidence: 85%", 0.85),
        ("**Confidence:** 0.9", 0.9),
        ("- confidence = 7/10\n", 0.7),
        ("> Confidence: 60 / 100", 0.6),
        ("Confidence: 20%\nno, wait\nConfidence: .5", 0.5),
        ("Confidence: \u0668\u0665%", 0.85),
        ("Confidence: 1", 1.0),
        ("Confidence: 150%", None),
        ("Confidence: 85", None),
        ("Confidence: NaN", None),
        ("My confidence: 85% of all", None),
        ("Confidence: high", None),
        ("confidence" * 20_000, None),
    ],
)
def test_stated_confidence(text: str, share: float | None) -> None:
    assert stated(text) == share
