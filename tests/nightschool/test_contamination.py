"""A held-out question that was taught is found, word for word or nearly."""

from __future__ import annotations

from nightschool.contamination import contamination

LONG = "did the emperor of the eastern empire ever cross the great river in the winter with all of his court and army"


def test_the_same_and_nearly_the_same_are_told_apart() -> None:
    held = [("h1", "Is Rome  old?"), ("h2", LONG), ("h3", "Do fish sleep at night in the sea"), ("h1", "Is Rome  old?")]
    taught = [("t1", "is rome old"), ("t2", LONG + " today"), ("t3", "Can a cat see in the dark of a moonless night")]
    found = contamination(held, taught, threshold=0.8)
    assert (found.held_out, found.taught, found.same, found.near) == (3, 3, 1, 1)
    assert found.first == (("h1", "t1"), ("h2", "t2"))


def test_other_numbers_make_another_question() -> None:
    found = contamination([("h", f"{LONG} of 12")], [("t", f"{LONG} of 13")], threshold=0.8)
    assert (found.same, found.near) == (0, 0)
