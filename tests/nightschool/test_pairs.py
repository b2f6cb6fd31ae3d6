"""The student's own samples become pairs: right against wrong, laid out alike."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.layout import same_format
from nightschool.pairs import How, Sample, build, dissent
from nightschool.records import Dropped, PreferenceRow
from nightschool.wire import Message

PROMPT = (Message(role="user", content="Is it so?"),)


def built(*samples: Sample, **fields: Any) -> list[tuple[str, str]] | str:
    given: dict[str, Any] = {"per_question": 4, "seed": 1}
    how = How(**given | fields)
    found = build("q1", how, topic="t", prompt=PROMPT, samples=samples, accepted="Yes. It is so.", disagreement=0.25)
    if isinstance(found, Dropped):
        return found.reason
    assert all((row.prompt, row.question, row.disagreement) == (PROMPT, "q1", 0.25) for row in found)
    return [(row.chosen[0].content, row.rejected[0].content) for row in found]


@pytest.mark.parametrize(
    ("samples", "chosen", "says"),
    [
        ([("Yes.", True), ("Yes, so.", True)], "student", "all_right"),
        ([("No.", False)], "student", "all_wrong"),
        ([("hm", None)], "student", "unreadable"),
        ([("hm", None)], "teacher", "unreadable"),
        ([("Yes.", True), ("So \\boxed{no}", False)], "student", "other_format"),
        ([("Yes.", True)], "teacher", "all_right"),
    ],
)
def test_a_question_without_pairs_says_why(samples: list[Sample], chosen: str, says: str) -> None:
    assert built(*samples, chosen=chosen) == says


def test_a_draft_stands_against_the_teachers_reply() -> None:
    assert built(("No. It floats.", False), ("No. It floats.", False), chosen="teacher") == [
        ("Yes. It is so.", "No. It floats.")
    ]


def test_a_wrong_reply_meets_a_right_one_of_its_own_format() -> None:
    samples: list[Sample] = [("Yes.", True), ("So \\boxed{yes}", True), ("So \\boxed{no}", False), ("No.", False)]
    assert isinstance(pairs := built(*samples), list)
    assert sorted(pairs) == [("So \\boxed{yes}", "So \\boxed{no}"), ("Yes.", "No.")]
    assert built(("Yes.", True), ("So \\boxed{no}", False), format="any") == [("Yes.", "So \\boxed{no}")]


@given(
    st.lists(st.tuples(st.sampled_from(["Yes.", "No.", "\\boxed{1}", "It is.", "a\nb", "{}"]), st.booleans())),
    st.integers(1, 4),
    st.sampled_from(["student", "teacher"]),
)
def test_pairs_are_alike_and_never_the_same_text(
    samples: list[tuple[str, bool]], most: int, chosen: Literal["student", "teacher"]
) -> None:
    how = How(chosen, per_question=most, seed=3)
    found = build("q", how, topic="t", prompt=PROMPT, samples=samples, accepted="Yes.")
    for row in found if isinstance(found, list) else ():
        assert isinstance(row, PreferenceRow)
        good, bad = row.chosen[0].content, row.rejected[0].content
        assert good != bad
        assert same_format(good, bad)
    assert isinstance(found, Dropped) or len(found) <= most


@pytest.mark.parametrize(
    ("votes", "share"), [([True, True, False, None], 1 / 3), ([None], 0.0), ([], 0.0), ([False], 1.0)]
)
def test_dissent_is_of_the_votes_that_were_cast(votes: list[bool | None], share: float) -> None:
    assert dissent(votes) == pytest.approx(share)
