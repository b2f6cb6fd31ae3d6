"""A night waits for another's rows, and is refused what can never come."""

import pytest

from nightschool.chunks import Chunk
from nightschool.errors import RecipeError
from tasks import after
from tasks.ledger import Ledger
from tasks.night import Night


def begun(make, name: str, *sets: str) -> Night:
    night = make(*sets, name=name)
    after.note(night)
    night.begin()
    return night


def test_a_night_waits_until_another_is_whole(make) -> None:
    first = begun(make, "first")
    second = make("order.after=[first]", name="second")
    [lacking] = after.lacking(second)
    assert lacking.startswith("night first, which does not run now: nightschool rerun first")
    ledger = Ledger(first.dir)
    ledger.finish(stopped_by="a dead server")
    assert after.lacking(second)
    ledger.finish()
    assert after.lacking(second) == []


def test_a_phase_is_enough(make) -> None:
    first = begun(make, "first")
    second = make("order.after=[first/pool]", name="second")
    assert after.lacking(second)
    [chunk] = pool(first)
    first.store.commit(chunk, rows=[], dropped=[], figures={})
    assert after.lacking(second) == []


def pool(night: Night) -> list[Chunk]:
    from tasks.steps import STEPS

    return STEPS["pool"].chunks(night)


def test_one_that_waits_itself_and_has_not_begun_is_no_stranger(make) -> None:
    first = make("order.after=[other]", name="first")
    with first.alone():
        assert after.lacking(make("order.after=[first]", name="second")) == ["night first, which waits itself"]


@pytest.mark.parametrize(
    ("awaited", "said"),
    [("nobody", "no such night"), ("first/dinner", "no such phase"), ("second", "in a circle")],
)
def test_what_can_never_come_is_refused(make, awaited: str, said: str) -> None:
    begun(make, "first")
    with pytest.raises(RecipeError, match=said):
        after.lacking(make(f"order.after=[{awaited}]", name="second"))


def test_a_circle_of_several_is_refused(make) -> None:
    begun(make, "first", "order.after=[third]")
    begun(make, "second", "order.after=[first]")
    with pytest.raises(RecipeError, match="third -> second -> first -> third"):
        after.lacking(make("order.after=[second]", name="third"))


def test_what_a_night_waits_for_is_no_part_of_its_keys(make) -> None:
    assert make().keys == make("order.after=[first]", "order.queue=urgent").keys
