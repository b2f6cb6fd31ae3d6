"""Answers of real data sets: every published MATH solution has one, and GSM8K's are all read as published."""

from __future__ import annotations

import pytest

from benchmarks.answer_values import GSM8K, MATH, SAMPLES, published
from benchmarks.real_data import missing, rows
from nightschool.values import latex
from nightschool.values.read import read


@pytest.mark.skipif(bool(missing(MATH)), reason=missing(MATH) or "")
def test_every_published_math_solution_has_its_published_answer() -> None:
    solutions = [row["solution"] for row in rows(MATH)]
    misses = [
        text[-80:] for text in solutions if not latex.same(published(text) or "", read(text, "latex").value or "-")
    ]
    assert len(misses) <= 0.005 * len(solutions), misses


@pytest.mark.skipif(bool(missing(*GSM8K)), reason=missing(*GSM8K) or "")
def test_every_gsm8k_answer_is_read_as_published() -> None:
    answers = [row["answer"] for name in GSM8K for row in rows(name)]
    values = [text.rpartition("####")[2].strip().replace(",", "") for text in answers]
    assert [read(text, "integer").value for text in answers] == values


@pytest.mark.skipif(bool(missing(SAMPLES)), reason=missing(SAMPLES) or "")
def test_what_can_be_told_of_graded_samples_without_mathematics_agrees_with_the_grade() -> None:
    told = []
    for row in rows(SAMPLES):
        for text, grade in zip(row["code"], row["score"], strict=True):
            same = latex.same(row["gt"], read(text, "latex").value or "")
            told += [] if same is None else [(same, grade, row["gt"])]
    assert len(told) > 700
    # The one that differs is graded wrong for writing 10000 where the file has 10{,}000.
    assert [one for one in told if one[0] != one[1]] == [(True, False, "10{,}000")]
