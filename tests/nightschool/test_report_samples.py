"""Ten rows to read: some of both kinds, the same ones every time."""

import pytest

from nightschool.records import Answer, Cast
from nightschool.report.samples import draw, sample
from tests.nightschool.example_rows import rulings


@pytest.mark.parametrize(
    ("kept", "dropped", "expected"),
    [(50, 50, (6, 4)), (50, 1, (9, 1)), (2, 50, (2, 8)), (3, 1, (3, 1)), (0, 0, (0, 0))],
)
def test_some_kept_and_some_dropped(kept: int, dropped: int, expected: tuple[int, int]) -> None:
    rows = rulings(1200)
    some = [row for row in rows if row.answer][:kept] + [row for row in rows if not row.answer][:dropped]
    chosen = draw(some, n=10)
    assert (sum(bool(row.answer) for row in chosen), sum(not row.answer for row in chosen)) == expected
    assert draw(list(reversed(some)), n=10) == chosen


def test_a_sample_shows_the_reasoning_behind_the_vote_and_why_there_is_none() -> None:
    ruling = rulings(30)[1].model_copy(update={"votes": {"ada": "B", "blaise": None, "carl": None}})
    answers = {
        "ada": Answer(
            id="q1", teacher="ada", casts=(Cast(letter="A", reasoning="no"), Cast(letter="B", reasoning="so B"))
        ),
        "blaise": Answer(id="q1", teacher="blaise", casts=(Cast(letter=None, reason="not_json"),)),
    }
    found = sample(ruling, answers)
    assert [(vote.teacher, vote.answer, vote.reasoning) for vote in found.votes] == [
        ("ada", "B", "so B"),
        ("blaise", None, "not_json"),
        ("carl", None, ""),
    ]
    assert (found.verdict, found.answer, found.truth) == ("kept", ruling.answer, ruling.question.truth)


def test_a_dropped_row_carries_its_reason() -> None:
    assert sample(rulings(30)[0], {}).verdict == "no_right_answer"
    assert sample(rulings(30)[1], {}, balanced=False).verdict == "over_share"
