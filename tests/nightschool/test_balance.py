"""Balance: equal shares, nothing invented, the draw bound to the row."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from nightschool.balance import downsample
from nightschool.records import Letter, Question, Ruling

ROWS = st.lists(st.tuples(st.sampled_from(["seating", "series"]), st.sampled_from("ABCD")), max_size=60)


def ruling(number: int, topic: str, letter: Letter) -> Ruling:
    question = Question(
        id=f"q{number}", topic=topic, question=f"{number}?", choices=("1", "2", "3", "4"), truth=letter, key=letter,
        source="generator", check="ok",
    )  # fmt: skip
    return Ruling(
        id=question.id, question=question, verdict="accept", answer=letter, reasoning="so", by="solver", reason=None,
        votes={}, vote=letter, agreement=1.0,
    )  # fmt: skip


@given(ROWS)
def test_every_class_is_as_large_as_the_rarest(rows: list[tuple[str, Letter]]) -> None:
    before = [ruling(number, topic, letter) for number, (topic, letter) in enumerate(rows)]
    kept, dropped = downsample(before, by=("topic", "letter"), seed=0)
    sizes = Counter((row.question.topic, row.answer) for row in before)
    after = Counter((row.question.topic, row.answer) for row in kept)
    assert set(after) == set(sizes)
    assert set(after.values()) <= {min(sizes.values(), default=0)}
    assert sorted(row.id for row in (*kept, *dropped)) == sorted(row.id for row in before)


def test_rows_added_to_another_class_do_not_reshuffle_the_draw() -> None:
    few = [ruling(number, "seating", "A") for number in range(20)] + [ruling(99, "seating", "B")] * 1
    more = [*few, *(ruling(100 + number, "seating", "C") for number in range(30))]
    first = {row.id for row in downsample(few, by=("letter",), seed=0)[0]}
    second = {row.id for row in downsample(more, by=("letter",), seed=0)[0]}
    assert first <= second


def test_max_rows_cuts_all_classes_alike() -> None:
    rows = [ruling(number, "series", letter) for number, letter in enumerate("ABCD" * 10)]  # pyright: ignore[reportArgumentType]
    kept, _ = downsample(rows, by=("letter",), seed=0, max_rows=9)
    assert Counter(row.answer for row in kept) == dict.fromkeys("ABCD", 2)
