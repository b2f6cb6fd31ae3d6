"""Rules that pick the chosen side without reading it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.layout import Mark, marks, same_format
from nightschool.shortcuts import shortcuts
from nightschool.statistics import wilson
from nightschool.wire import Message

TEACHER = "## Teaching Analysis\nWell tried.\n\n## Final Assessment\nthe answer is: **[NO]**"
DRAFT = "Answer: Yes - common in winter"


def turns(text: str) -> tuple[Message, ...]:
    return (Message(role="assistant", content=text),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"reasoning":"so Dan","answer":"B"}', {"json"}),
        (TEACHER, {"headings", "bold", "lines"}),
        (DRAFT, {"verdict_first"}),
        ("Yes.", {"verdict_first"}),
        ("It takes 2 steps.\n1. Add.\n- Sum.\nSo \\boxed{3}.\n#### 3", {"list", "lines", "box", "hashes"}),
        ("Nothing of note here", set[Mark]()),
    ],
)
def test_marks_of_a_reply(text: str, found: set[Mark]) -> None:
    assert marks(text) == found


def test_plan_002s_pairs_are_told_apart_without_reading() -> None:
    found = {one.rule: one for one in shortcuts([(turns(TEACHER), turns(DRAFT))] * 40)}
    assert (found["longer"].wins, found["longer"].decides) == (40, 40)
    assert (found["longer"].low, found["longer"].high) == wilson(40, 40)
    assert found["longer"].warns
    assert found["headings"].warns
    assert found["verdict_first"].value == 0
    assert found["verdict_first"].warns
    assert not same_format(TEACHER, DRAFT)


def test_the_same_format_with_either_side_longer_is_no_shortcut() -> None:
    pairs = [
        (turns("Yes, it is so."), turns("No, it is not so.")),
        (turns("No, it is not so."), turns("Yes, it is so.")),
    ]
    assert [(one.rule, one.value, one.warns) for one in shortcuts(pairs * 20)] == [("longer", 0.5, False)]
    assert same_format("Yes, it is so.", "No, it is not so.")


def test_a_rule_that_tells_nothing_apart_is_left_out() -> None:
    assert shortcuts([(turns("A) x"), turns("B) y"))]) == []


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=20))
def test_swapping_the_sides_swaps_wins_and_losses(texts: list[tuple[str, str]]) -> None:
    one = {found.rule: found for found in shortcuts((turns(a), turns(b)) for a, b in texts)}
    other = {found.rule: found for found in shortcuts((turns(b), turns(a)) for a, b in texts)}
    assert one.keys() == other.keys()
    for rule, found in one.items():
        assert found.wins + other[rule].wins == found.decides == other[rule].decides
