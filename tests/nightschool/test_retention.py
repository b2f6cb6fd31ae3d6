"""What may go of a store: by age, by size, and never what a night that stays needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightschool.report.retention import told
from nightschool.retention import Choice, Held, HeldNight, choose

DAY = 86_400.0


def night(name: str, used: float, *needs: str, stays: bool = False) -> HeldNight:
    return HeldNight(name, used, 10, frozenset(needs), stays)


def chunks(*names: str, used: float = 0.0) -> list[Held]:
    return [Held(name, used, 100) for name in names]


def names(choice: Choice) -> tuple[list[str], list[str]]:
    return [one.name for one in choice.nights], [one.name for one in choice.folders]


def test_an_old_night_takes_along_what_nobody_else_needs() -> None:
    nights = [night("old", 1, "answers/a", "sft/a"), night("new", 9, "answers/a", "sft/b")]
    choice = choose(nights, chunks("answers/a", "sft/a", "sft/b", used=1), before=5)
    assert names(choice) == (["old"], ["sft/a"])
    assert (choice.before, choice.freed) == (320, 110)


def test_chunks_of_no_night_go_by_their_own_age() -> None:
    loose = [*chunks("answers/old", used=1), *chunks("answers/new", used=9)]
    assert names(choose([], loose, before=5)) == ([], ["answers/old"])


def test_the_oldest_goes_until_the_rest_is_small_enough() -> None:
    nights = [night("first", 1, "sft/a"), night("second", 2, "sft/b"), night("third", 3, "sft/c")]
    choice = choose(nights, chunks("sft/a", "sft/b", "sft/c"), most_bytes=220)
    assert names(choice) == (["first"], ["sft/a"])


def test_a_night_that_stays_is_never_chosen_whatever_its_age_and_size() -> None:
    choice = choose([night("kept", 0, "sft/a", stays=True)], chunks("sft/a"), before=9, most_bytes=0)
    assert names(choice) == ([], [])


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[HeldNight], list[Held]]:
    made = [Held(f"sft/{place}", draw(st.integers(0, 9)), draw(st.integers(0, 50))) for place in range(6)]
    needs = st.frozensets(st.sampled_from([one.name for one in made]))
    nights = [
        HeldNight(f"n{place}", draw(st.integers(0, 9)), draw(st.integers(0, 50)), draw(needs), draw(st.booleans()))
        for place in range(draw(st.integers(0, 5)))
    ]
    return nights, made


@given(stores(), st.none() | st.integers(0, 10), st.none() | st.integers(0, 400))
def test_what_is_left_is_whole_and_as_small_as_it_can_be(
    store: tuple[list[HeldNight], list[Held]], before: int | None, most_bytes: int | None
) -> None:
    nights, made = store
    choice = choose(nights, made, before=before, most_bytes=most_bytes)
    left = [one for one in nights if one not in choice.nights]
    gone = [one.name for one in choice.folders]
    assert len(gone) == len(set(gone))
    assert not set(gone) & {name for one in left for name in one.needs}
    assert all(not one.stays for one in choice.nights)
    if before is not None:
        assert all(one.stays or one.used >= before for one in left)
    if most_bytes is not None and choice.before - choice.freed > most_bytes:
        assert all(one.stays for one in left)
        assert {one.name for one in made} - set(gone) <= {name for one in left for name in one.needs}


def test_a_person_reads_what_would_go_and_that_nothing_did() -> None:
    choice = choose([night("old", 0, "sft/a")], chunks("sft/a"), before=DAY)
    assert told(choice, 3 * DAY, None) == [
        "night old: 10 B, last used 3 days ago",
        "rows and models of sft: 100 B",
        "110 B would go, 0 B stay. Nothing was removed: --yes does it.",
    ]
    assert told(choice, 3 * DAY, 110)[-1] == "110 B removed, 0 B stay."
    assert told(choose([], [], before=1), 0, None) == ["Nothing is to go: 0 B stay."]
