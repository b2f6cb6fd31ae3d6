"""Near-duplicates: found whatever their order, kept apart by numbers, the first one stays."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from nightschool.sketches import Sketches, crossing, duplicates

STORY = "Amanda received fifty dollars and buys two tapes that cost nine each and a set that costs twenty"
RENAMED = STORY.replace("Amanda", "Josie")


def words(seed: int, count: int = 24) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("abcdefghijklmnop", k=5)) for _ in range(count)]


def test_a_renamed_question_is_a_duplicate_and_one_with_other_numbers_is_none() -> None:
    one, other = f"{STORY} dollars. How much of the 50 is left?", f"{STORY} dollars. How much of the 70 is left?"
    renamed = one.replace("Amanda", "Josie")
    found = duplicates(Sketches([("a", one), ("b", other), ("c", renamed)]), threshold=0.8)
    assert set(found) == {"c"}
    assert found["c"].id == "a"
    assert found["c"].share > 0.8


@given(st.integers(0, 10_000))
def test_exact_jaccard_decides_far_from_the_threshold(seed: int) -> None:
    text = words(seed)
    near, far = [*text[:-1], "other"], [*text[:12], *words(seed + 1, 12)]
    found = duplicates(Sketches((str(n), " ".join(each)) for n, each in enumerate((text, near, far))), threshold=0.7)
    assert found.keys() == {"1"}


def test_rows_of_earlier_nights_stay_and_this_nights_copies_of_them_go() -> None:
    sketches = Sketches([("old/1", STORY), ("old/2", RENAMED), ("new", STORY)])
    assert set(duplicates(sketches, threshold=0.8, fixed=2)) == {"new"}


def test_a_chain_of_likenesses_is_held_against_the_row_that_stays() -> None:
    text = words(1, 40)
    chain = [text]
    for place in range(4, 40, 4):
        chain.append([*chain[-1][:place], f"other{chr(97 + place // 4)}", *chain[-1][place + 1 :]])
    found = duplicates(Sketches((str(n), " ".join(each)) for n, each in enumerate(chain)), threshold=0.7)
    last = str(len(chain) - 1)
    assert last not in found or found[last].id != "0"  # it shares nearly nothing with the first


def test_crossing_finds_a_held_out_question_among_those_to_train_on() -> None:
    held = Sketches([("t1", STORY), ("t2", " ".join(words(2)))])
    taught = Sketches([("a", " ".join(words(3))), ("b", RENAMED)])
    assert {row: twin.id for row, twin in crossing(held, taught, threshold=0.8).items()} == {"b": "t1"}
    assert crossing(Sketches(), taught, threshold=0.8) == {}
    assert crossing(held, Sketches(), threshold=0.8) == {}
