"""Which values are one answer: as they stand, by the truth, by mathematics, each pair asked once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nightschool.sameness import Pair, Sameness, tell


def test_what_is_told_without_mathematics_is_not_asked() -> None:
    same = Sameness({"1/2": None, "\\frac12": None, "3": None}, "latex")
    assert same.names({}) == {"1/2": "1/2", "\\frac12": "1/2", "3": "3"}
    assert same.untold() == set()
    assert Sameness({"yes": None, "no": None}, "yes_no").untold() == set()


def test_two_right_values_are_one_and_a_wrong_one_is_another() -> None:
    same = Sameness({"x+1": True, "1+x": True, "x-1": False, "1-x": False, "2-x": None}, "latex")
    assert same.names({}) == {"x+1": "1+x", "1+x": "1+x", "x-1": "x-1", "1-x": "1-x", "2-x": "2-x"}
    assert same.untold() == {("1-x", "x-1"), ("1-x", "2-x"), ("2-x", "x-1"), ("1+x", "2-x"), ("2-x", "x+1")}


def test_each_pair_is_asked_once_in_one_spelling_and_unjudged_ones_stay_apart() -> None:
    asked: list[Pair] = []

    def compare(pairs: Collection[Pair]) -> Mapping[Pair, bool | None]:
        asked.extend(pairs)
        return {("1+x", "x+1"): True, ("9^{9^{9}}", "x+1"): None, ("1+x", "9^{9^{9}}"): None}

    questions = [{"x+1": None, "1 + x": None}, {"1+x": None, "x + 1": None, "9^{9^{9}}": None}]
    told = tell([Sameness(right, "latex") for right in questions], compare)
    assert sorted(asked) == [("1+x", "9^{9^{9}}"), ("1+x", "x+1"), ("9^{9^{9}}", "x+1")]
    first, second = (Sameness(right, "latex").names(told) for right in questions)
    assert first["x+1"] == first["1 + x"]
    assert second["1+x"] == second["x + 1"] != second["9^{9^{9}}"]
