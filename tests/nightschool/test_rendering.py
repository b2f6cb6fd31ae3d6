"""Two renderings of one prompt, and where they part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightschool.rendering import Tokens, difference, every


def tokens(by: str, text: str) -> Tokens:
    return Tokens(by, [ord(letter) for letter in text], list(text))


def test_equal_renderings_do_not_part() -> None:
    assert difference(tokens("trained", "Is it? Yes"), tokens("served", "Is it? Yes")) is None


def test_the_first_difference_is_shown_with_both_tokens_and_the_text_around() -> None:
    told = difference(tokens("trained", "Question: who?\u010aAnswer"), tokens("served", "Question: who? Answer"))
    assert told is not None
    assert told.startswith("token 14 is '\\n' (266) as trained and ' ' (32) as served, ")
    assert "after ': who?'; it goes on '\\nAnswe' against ' Answe'" in told


def test_a_rendering_that_ends_early_parts_at_its_end() -> None:
    told = difference(tokens("trained", "<user>2+2"), tokens("served", "<user>2+2<assistant>"))
    assert told is not None
    assert told.startswith("token 9 is nothing as trained and '<' (60) as served")


@given(st.text(), st.text())
def test_only_equal_ids_are_equal(one: str, other: str) -> None:
    assert (difference(tokens("a", one), tokens("b", other)) is None) == (one == other)


@given(st.integers(0, 500), st.integers(2, 40))
def test_probes_lie_over_all_rows(count: int, most: int) -> None:
    places = every(count, most)
    assert len(places) == len(set(places)) == min(count, most)
    assert not places or (places[0], places[-1]) == (0, count - 1)
