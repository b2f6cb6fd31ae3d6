"""Categories of problems: the file's word, else the text's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nightschool.categories import category_of

DATA = Path(os.environ.get("NIGHTSCHOOL_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.parametrize(
    ("topic", "problem", "expected"),
    [
        ("Counting & Probability", "A triangle?", "combinatorics"),
        ("intermediate_algebra", "A triangle?", "algebra"),
        ("olympiad", "A triangle has sides 3, 4 and 5. What is its area?", "geometry"),
        ("", "In how many ways can 3 of 8 people be chosen?", "combinatorics"),
        ("", "Find all roots of the polynomial $x^3 - x$.", "algebra"),
        ("", "What is the remainder when $7^{10}$ is divided by 10?", "arithmetic"),
        ("", "", "arithmetic"),
    ],
)
def test_the_files_word_outranks_the_text(topic: str, problem: str, expected: str) -> None:
    assert category_of(problem, topic) == expected


def test_the_words_of_real_problems_tell_more_than_the_commonest_category() -> None:
    file = DATA / "math" / "math_test_4500.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not here (NIGHTSCHOOL_DATA)")
    rows = [json.loads(line) for line in file.read_text().splitlines()[::12]]
    told = [category_of("", row["type"]) for row in rows]
    agreed = sum(category_of(row["problem"]) == one for row, one in zip(rows, told, strict=True))
    assert agreed / len(rows) > 0.65
    assert told.count("algebra") / len(rows) < 0.6
