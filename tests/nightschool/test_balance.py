"""Balance: the shares that are wanted, nothing without a source, the draw bound to the row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.balance import Card, Fate, Method, fates, mended
from tests.nightschool.choosing import ruling

ROWS = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from(["seating", "series"])), max_size=60)
METHODS: tuple[Method, ...] = ("downsample", "upsample", "weights", "none")


def cards(rows: Sequence[tuple[str, str]]) -> list[Card]:
    return [Card(f"q{number}", cls, stratum) for number, (cls, stratum) in enumerate(rows)]


def shares(of: Sequence[Card], found: Sequence[Fate], stratum: str = "") -> dict[str, float]:
    mass: Counter[str] = Counter()
    for card, fate in zip(of, found, strict=True):
        if card.stratum == stratum:
            mass[card.cls] += fate.copies * fate.weight  # pyright: ignore[reportArgumentType]
    total = math.fsum(mass.values())
    return {cls: count / total for cls, count in mass.items()}


@given(ROWS)
def test_every_class_is_as_large_as_the_rarest(rows: list[tuple[str, str]]) -> None:
    of = [Card(one.id, f"{one.cls} / {one.stratum}") for one in cards(rows)]
    found = fates(of, method="downsample", seed=0)
    assert {fate.copies for fate in found} <= {0, 1}
    sizes = Counter(card.cls for card in of)
    after = Counter(card.cls for card, fate in zip(of, found, strict=True) if fate.copies)
    assert set(after) == set(sizes)
    assert set(after.values()) <= {min(sizes.values(), default=0)}


@given(ROWS, st.sampled_from(METHODS), st.integers(1, 5), st.one_of(st.none(), st.integers(1, 40)))
def test_no_row_comes_of_nothing(rows: list[tuple[str, str]], method: Method, most: int, room: int | None) -> None:
    before = [ruling(number, letter, topic=topic) for number, (letter, topic) in enumerate(rows)]
    of = [Card(row.id, str(row.answer), row.question.topic) for row in before]
    found = fates(of, method=method, seed=3, max_rows=room, most_copies=most)
    after = [copy for row, fate in zip(before, found, strict=True) for copy in mended(row, fate)]
    by_id = {row.id: row for row in before}
    assert len({row.id for row in after}) == len(after)
    for row in after:
        source = by_id[row.mended.source or row.id]
        assert (row.question, row.answer, row.reasoning) == (source.question, source.answer, source.reasoning)
    assert max(Counter(row.mended.source or row.id for row in after).values(), default=0) <= max(most, 1)
    assert {row.mended.source or row.id for row in after} | {
        card.id for card, fate in zip(of, found, strict=True) if not fate.copies
    } == by_id.keys()


@pytest.mark.parametrize("method", ["downsample", "upsample", "weights"])
def test_target_shares_hold_in_every_stratum(method: Method) -> None:
    rows = [("yes", "easy")] * 700 + [("no", "easy")] * 300 + [("yes", "hard")] * 40 + [("no", "hard")] * 160
    target = {"yes": 0.45, "no": 0.55}
    found = fates(of := cards(rows), method=method, seed=1, target=target, most_copies=9)
    for stratum in ("easy", "hard"):
        assert shares(of, found, stratum) == pytest.approx(target, abs=0.01)
    counts = sum(fate.copies for fate in found)
    assert {"downsample": counts < 1200, "upsample": counts > 1200, "weights": counts == 1200}[method]
    if method == "weights":
        assert math.fsum(fate.weight for fate in found) == pytest.approx(1200)


def test_where_copies_do_not_suffice_the_other_classes_are_cut() -> None:
    of = cards([("yes", "")] * 90 + [("no", "")] * 10)
    found = fates(of, method="upsample", seed=1, most_copies=3)
    assert Counter({card.cls: 0 for card in of}) + Counter(
        card.cls for card, fate in zip(of, found, strict=True) for _ in range(fate.copies)
    ) == {"yes": 30, "no": 30}


def test_a_class_that_is_not_wanted_goes() -> None:
    of = cards([("yes", ""), ("no", ""), ("maybe", "")])
    assert [fate.copies for fate in fates(of, method="weights", seed=1, target={"yes": 0.5, "no": 0.5})] == [1, 1, 0]


def test_rows_added_to_another_class_do_not_reshuffle_the_draw() -> None:
    few = [Card(f"q{number}", "A") for number in range(20)] + [Card("q99", "B")]
    more = [*few, *(Card(f"q{100 + number}", "C") for number in range(30))]
    first, second = (
        {card.id for card, fate in zip(of, fates(of, method="downsample", seed=0), strict=True) if fate.copies}
        for of in (few, more)
    )
    assert first <= second


def test_max_rows_cuts_all_classes_alike() -> None:
    of = cards([(letter, "") for letter in "ABCD" * 10])
    found = fates(of, method="downsample", seed=0, max_rows=9)
    assert Counter(card.cls for card, fate in zip(of, found, strict=True) if fate.copies) == dict.fromkeys("ABCD", 2)
