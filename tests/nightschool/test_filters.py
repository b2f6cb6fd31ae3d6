"""Filters: each row goes for one reason or stays, and what a filter does to the shares is counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightschool import filters
from nightschool.filters import Check, Found, sieve
from nightschool.language import foreign
from nightschool.overlap import Passages
from nightschool.records import Ruling
from nightschool.ruling_line import RulingLine, ruling_line
from tests.nightschool.choosing import ruling as recorded

EVAL = (
    "Weng earns $12 an hour for babysitting. Yesterday, she just did 50 minutes of babysitting. How much did she earn?"
)


def ruling(*given_: Any, **fields: Any) -> RulingLine:
    return ruling_line(recorded(*given_, **fields).model_dump_json().encode())


@given(
    st.lists(st.sampled_from("ABCD"), max_size=40),
    st.lists(st.tuples(st.sets(st.integers(0, 40)), st.one_of(st.none(), st.just(0.5))), max_size=4),
)
def test_every_row_stays_or_goes_for_one_reason(
    letters: list[str], marked: list[tuple[set[int], float | None]]
) -> None:
    rows = [ruling(number, letter) for number, letter in enumerate(letters)]
    checks = [
        Check(
            str(place),
            lambda row, ids=ids, place=place: Found(f"no {place}") if int(row.id[1:]) in ids else None,
            weight,
        )
        for place, (ids, weight) in enumerate(marked)
    ]
    found = sieve(rows, checks, ["answer"])
    assert len(found.kept) + len(found.dropped) == len(rows)
    assert {row.id for row in found.kept} | {row.id for _, row in found.dropped} == {row.id for row in rows}
    for reason, row in found.dropped:
        assert row.reason == reason
        first = next(place for place, (ids, weight) in enumerate(marked) if int(row.id[1:]) in ids and weight is None)
        assert reason == f"no {first}"
    for row in found.kept:
        spared = [place for place, (ids, _) in enumerate(marked) if int(row.id[1:]) in ids]
        assert row.mended.spared == tuple(f"no {place}" for place in spared)
        assert row.weight == 0.5 ** len(spared)
    assert Counter(reason for reason, _ in found.dropped) == sum((tally.reasons for tally in found.tallies), Counter())
    left = len(rows)
    for tally in found.tallies:
        assert tally.rows_in == left
        assert tally.rows_in - tally.reasons.total() == tally.rows_out
        left = tally.rows_out
    if found.tallies and rows:
        last = found.tallies[-1].shares.get("answer", {})
        assert sum(after for _, after in last.values()) == pytest.approx(sum(row.weight for row in found.kept))


@pytest.mark.parametrize(
    ("results", "agreed", "drop", "reason"),
    [
        ({"a": "mixed", "b": "all_wrong"}, "mixed", ("all_right", "all_wrong"), None),
        ({"a": "all_right", "b": "all_right"}, "all_right", ("all_right", "all_wrong"), "all_right"),
        ({"a": "all_right", "b": "all_wrong"}, "opposed", ("all_right", "all_wrong"), None),
        ({"a": "all_right", "b": "all_wrong"}, "opposed", ("all_right", "all_wrong", "opposed"), "opposed"),
        ({}, None, ("all_right", "all_wrong"), None),
        ({}, None, ("unknown",), "unknown"),
    ],
)
def test_consistency_is_plan_004s(results: dict, agreed: str | None, drop: tuple[str, ...], reason: str | None) -> None:
    found = filters.consistency(ruling(1, "12", results=results, agreed=agreed), drop)
    assert (found and found.reason) == reason


@pytest.mark.parametrize(
    ("right", "judged", "reason"), [(1, 16, "too_hard"), (8, 16, None), (16, 16, "too_easy"), (0, 0, None)]
)
def test_difficulty_is_a_band_and_what_is_not_known_stays(right: int, judged: int, reason: str | None) -> None:
    row = ruling(1, "12", right={"ann": right}, judged={"ann": judged}, votes={})
    found = filters.difficulty(row, 0.1, 0.9)
    assert (found and found.reason) == reason


def test_format_and_length() -> None:
    assert filters.form(ruling(1, "A", reasoning="so <|im_end|>"), (), ("<|im_end|>",)) == Found(
        "forbidden_text", "<|im_end|>"
    )
    assert filters.form(ruling(1, "A", reasoning="so 3"), ("because",), ()) == Found("missing_text", "because")
    assert filters.form(ruling(1, "A", reasoning=" "), (), ()) == Found("no_explanation")
    twice = recorded(1, "A").question.model_copy(update={"choices": ("one", "One ", "two", "three")})
    assert filters.form(ruling(1, "A", question=twice), (), ()) == Found("same_choices")
    assert filters.form(ruling(1, "A"), (), ("<|im_end|>",)) is None
    assert filters.length("one two three", "words", None, 2) == Found("too_long", "3 words")
    assert filters.length("one two", "characters", 8, None) == Found("too_short", "7 characters")
    assert filters.length("five", "tokens", 1, 1) is None


def test_a_run_of_words_of_an_evaluation_set_is_met_and_a_common_phrase_is_not() -> None:
    passages = Passages(13)
    passages.add("gsm8k", ["Something else.", EVAL, "How much did she earn?"])
    met = passages.find(f"Read on. {EVAL.replace('Weng', 'Mary').upper()}")
    assert met is not None
    assert (met.name, met.place) == ("gsm8k", 2)
    assert passages.find("A shop sold 50 apples yesterday. How much did she earn in the end?") is None
    assert passages.find("how much did she earn") is not None  # the very question, short as it is
    assert passages.find("") is None


def test_a_foreign_text_is_told_and_formulas_are_no_language() -> None:
    assert foreign("¿Cuántas manzanas le quedan a Juan después de dar tres a María?", ("en",)) == "es"
    assert foreign("How many apples does John have left after giving three to Mary?", ("en",)) is None
    assert foreign(r"\frac{1}{2} + x_1 = \sqrt{3}, \quad x \in \mathbb{R}", ("en",)) is None


def test_a_row_keeps_what_it_was_when_nothing_objects() -> None:
    row = recorded(1, "B", reasoning="so \u2028 \\ é", level="3", weight=0.5)
    found = sieve([ruling_line(row.model_dump_json().encode())], [Check("none", lambda row: None)], ["answer"]).kept
    assert [one.line for one in found] == [row.model_dump_json().encode() + b"\n"]
    assert [Ruling.model_validate_json(one.line) for one in found] == [row]


def test_a_rulings_line_has_the_fields_of_a_ruling() -> None:
    assert list(RulingLine.__struct_encode_fields__) == list(Ruling.model_fields)
    spared = replace(ruling(1, "B"), weight=0.25)
    assert (spared.question.lettered, spared.reasoning) == (recorded(1, "B").question.lettered, "so")
    assert Ruling.model_validate_json(spared.line) == recorded(1, "B", weight=0.25)
