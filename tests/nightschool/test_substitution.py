"""Answers put into their problems: which problems allow it, and that no right answer is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.equivalence import Judge
from nightschool.substitution import check_of
from nightschool.values.read import read

DATA = Path(os.environ.get("NIGHTSCHOOL_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.parametrize(
    ("problem", "left", "right"),
    [
        ("Compute $\\frac{1}{2} + \\frac{1}{3}$.", "\\frac{1}{2} + \\frac{1}{3}", "7"),
        ("What is the value of $19^2 + 2(19) + 1$?", "19^2 + 2 \\cdot (19) + 1", "7"),
        ("Solve for $x$: $2x + 1 = 15$.", "2 \\cdot (7) + 1", "15"),
        ("If $3^{2x}=9$, find $x$.", "3^{2 \\cdot (7)}", "9"),
        ("Find the value of $n$ such that $2^n = 128$.", "2^{(7)}", "128"),
        ("Solve $\\sqrt{x+2} = 3$ for $x$. Express your answer as a common fraction.", "\\sqrt{(7)+2}", "3"),
    ],
)
def test_an_expression_is_compared_and_an_equation_is_filled_in(problem: str, left: str, right: str) -> None:
    found = check_of(problem, "7")
    assert found is not None
    assert tuple(found) == (left, right)


@pytest.mark.parametrize(
    ("problem", "answer"),
    [
        ("Compute the sum of all $x$ with $x^2 = 4$.", "0"),
        ("Find the largest $x$ such that $x^2 = 4$.", "2"),
        ("Compute $1 + 2$ and add $3$.", "6"),
        ("Solve $x + y = 3$ for $x$.", "1"),
        ("What is $5$?", "5"),
        ("Solve $x = 2x - y$ for $x$.", "y"),
        ("Compute $\\sum_{k=1}^{3} k$.", "6"),
        ("Compute $0.1 + 0.2$.", "0.3"),
        ("Solve for $x$: $2x + 1 = 15$.", "x = 7"),
        ("Express $\\frac{1}{3}$ in base $7$.", "7"),
    ],
)
def test_whatever_is_asked_in_other_words_is_not_checked(problem: str, answer: str) -> None:
    assert check_of(problem, answer) is None


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_text_can_be_looked_at(problem: str, answer: str) -> None:
    check_of(f"Solve for $x$: ${problem}$", answer)


def test_real_problems_accept_their_own_answers_and_no_others() -> None:
    file = DATA / "math" / "math_test_4500.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not here (NIGHTSCHOOL_DATA)")
    rows = [json.loads(line) for line in file.read_text().splitlines()[:600]]
    right, wrong = [], []
    for row in rows:
        truth = read(row["solution"], "latex").value or ""
        if found := check_of(row["problem"], truth):
            right.append(tuple(found))
            wrong += [tuple(other) for off in ("-3",) if off != truth and (other := check_of(row["problem"], off))]
    one = Judge(workers=1)
    told = one.rule([*right, *wrong])
    one.close()
    assert len(right) > 8
    assert not [pair for pair in right if told[pair] == "different"]
    assert not [pair for pair in wrong if told[pair] == "same"]
