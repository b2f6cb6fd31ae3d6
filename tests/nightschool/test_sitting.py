"""Counts of a committee's sitting: they add up over chunks, and set each teacher beside the votes."""

from __future__ import annotations

from typing import Any

from nightschool.committee import rule
from nightschool.hearing import Case, Heard, Known
from nightschool.recipe.committee import Committee, terms_of
from nightschool.ruling_line import RulingLine
from nightschool.sitting import Sitting, sit


def ruled(*values: str | None, truth: str | None = "7", **section: Any) -> RulingLine:
    said = {
        name: Heard([value], [None if truth is None else value == truth], [None], ["so"])
        for name, value in zip(("ann", "ben", "cleo"), values, strict=True)
    }
    known = Known("truth", truth) if truth else None
    return rule(Case("q", said, known), terms_of(Committee(**section), quorum=2, seed=0))[0]


def test_verdicts_levels_and_seats_are_counted() -> None:
    rulings = [
        ruled("7", "7", "7"), ruled("7", "8", "8"), ruled("8", "8", None), ruled("8", None, None, truth=None),
        ruled("7", "8", None, truth=None, to_review=["tie"]),
    ]  # fmt: skip
    found = sit(rulings, not_compared=2)
    assert (found.asked, found.by, found.overruled, found.not_compared) == (5, {"truth": 2}, 1, 2)
    assert found.reasons == {"reject": {"against_truth": 1, "no_quorum": 1}, "review": {"tie": 1}}
    by_level = {step: (one.questions, one.decided, one.known, one.right) for step, one in found.levels.items()}
    assert by_level == {10: (1, 0, 0, 0), 13: (1, 1, 1, 0), 20: (3, 2, 2, 1)}
    ann, cleo = found.seats["ann"], found.seats["cleo"]
    assert (ann.cast, ann.known, ann.right, ann.beside, ann.both, ann.only_theirs) == (5, 3, 2, 3, 1, 1)
    assert (cleo.cast, cleo.known, cleo.right, cleo.beside, cleo.only_ours) == (2, 2, 1, 3, 0)


def test_counts_of_chunks_add_up() -> None:
    rulings = [ruled("7", "7", "8"), ruled("7", "8", "9"), ruled(None, None, None)]
    assert sit(rulings[:1]) + sit(rulings[1:]) == sit(rulings)
    assert Sitting.model_validate_json(sit(rulings).model_dump_json()) == sit(rulings)
