"""Which pairs are left out of a loss: those that somebody disagrees with most."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightschool.doubts import most_doubted
from nightschool.pairs import dissent
from nightschool.report.doubts import LeftOut, left_out_words, short, shown

GAPS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.floats(-5, 5), max_size=30)


@given(GAPS, st.floats(0.01, 0.99))
def test_the_share_with_the_smallest_gaps_goes_worst_first(gaps: dict[str, float], share: float) -> None:
    found = most_doubted(gaps, share)
    assert len(found) == int(share * len(gaps))
    assert [gaps[name] for name in found] == sorted(gaps.values())[: len(found)]
    assert found == most_doubted(dict(reversed(gaps.items())), share), "the order of the rows decides nothing"


@given(GAPS, st.data())
def test_teachers_speak_first_and_the_model_where_they_are_as_many(gaps: dict[str, float], data: st.DataObject) -> None:
    votes = {name: data.draw(st.sampled_from([0.0, 1 / 3, 2 / 3])) for name in gaps}
    found = most_doubted(gaps, 0.5, votes)
    left = gaps.keys() - found
    assert all(votes[name] >= votes[other] for name in found for other in left)
    assert all(gaps[name] <= gaps[other] for name in found for other in left if votes[name] == votes[other])


@pytest.mark.parametrize("seed", range(5))
def test_planted_flipped_pairs_are_found_first_by_the_votes_that_they_go_against(seed: int) -> None:
    rng = random.Random(seed)
    flipped = {f"p{n}" for n in rng.sample(range(200), 30)}
    votes: dict[str, float] = {}
    for name in (f"p{n}" for n in range(200)):
        cast = ["right" if rng.random() < 0.85 else "wrong" for _ in range(5)]
        most = Counter(cast).most_common(1)[0][0]
        accepted = ("wrong" if most == "right" else "right") if name in flipped else most
        votes[name] = dissent(vote == accepted for vote in cast)
    gaps = {name: rng.gauss(0, 1) for name in votes}
    assert set(most_doubted(gaps, 0.15, votes)) == flipped
    assert len(flipped & set(most_doubted(gaps, 0.15))) < 15, "a model that knows nothing finds them by chance alone"


def test_a_page_shows_the_first_and_counts_all() -> None:
    found = [
        LeftOut(stage="dpo", epoch=n // 40, id=f"p{n % 40}", against=2 / 3, chosen=short("a\n b " * 90), rejected="no")
        for n in range(80)
    ]
    assert shown(found) == found[:30]
    assert left_out_words(found) == "40 pairs at weight zero, of which 30 are shown"
    assert left_out_words(found[:1]) == "1 pair at weight zero"
    assert "\n" not in found[0].chosen
    assert len(found[0].chosen) < 200
