"""Voting: each strategy's winner, ties as ruled, and what no strategy may ever do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.reliability import Coins, Votes, dawid_skene, one_coin
from nightschool.values.latex import same
from nightschool.voting import Ballot, Rule, Strategy, Ties, ballot_of, candidates, decide, named

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
SHARES = Coins({"a": 0.9, "b": 0.6, "c": 0.6, "d": 0.7, "e": 0.55}, rivals=3)

VALUES = ["1", "1/2", "0.5", "2", "x", "-3", "yes", "\\frac12"]
NAMES = named(VALUES, same)

values = st.one_of(st.none(), st.sampled_from(VALUES))
ballots = st.lists(
    st.builds(Ballot, st.sampled_from("abcde"), values, st.floats(0, 1, allow_subnormal=False)), max_size=7
)
rules = st.builds(
    Rule, st.sampled_from(STRATEGIES), st.sampled_from(get_args(Ties)), st.sampled_from(["majority", None]),
    st.just(0.01), st.just(SHARES),
)  # fmt: skip


def cast(*votes: tuple[str, float]) -> list[Ballot]:
    return [Ballot(teacher, value, confidence) for teacher, (value, confidence) in zip("abcde", votes, strict=False)]


SPLIT = cast(("7", 0.4), ("7", 0.5), ("7", 0.3), ("8", 0.95), ("8", 0.9))


@pytest.mark.parametrize(
    ("strategy", "winner"),
    [
        ("majority", "7"), ("confidence_weighted", "8"), ("max_confidence", "8"), ("median_confidence", "8"),
        ("unanimous", "7"), ("numeric_average", "7"), ("reliability", "7"),
    ],
)  # fmt: skip
def test_each_strategy_decides_in_its_own_way(strategy: Strategy, winner: str | None) -> None:
    assert decide(SPLIT, Rule(strategy, reliability=SHARES)).value == winner


def test_a_reliable_teacher_outweighs_two_that_guess() -> None:
    votes = cast(("right", 1), ("wrong", 1), ("wrong", 1))
    assert decide(votes, Rule("majority")).value == "wrong"
    assert decide(votes, Rule("reliability", reliability=SHARES)).value == "right"


def test_a_tie_decides_nothing_or_goes_to_the_first_by_name() -> None:
    votes = cast(("10", 1), ("9", 1))
    assert (decide(votes, Rule()).value, decide(votes, Rule()).reason) == (None, "tie")
    assert decide(votes, Rule(ties="first")).value == "9"
    assert decide(votes, Rule("unanimous", fallback=None)).reason == "not_unanimous"


def test_nobody_voting_is_no_verdict() -> None:
    for strategy in STRATEGIES:
        found = decide([Ballot("a", None), Ballot("b", None)], Rule(strategy, reliability=SHARES))
        assert (found.value, found.agreement, found.entropy, found.reason) == (None, 0.0, 0.0, "no_votes")


def test_numbers_near_their_median_are_averaged_exactly() -> None:
    near = cast(("100", 1), ("101", 1), ("100", 1), ("900", 1), ("x", 1))
    found = decide(near, Rule("numeric_average", tolerance=0.02))
    assert (found.value, found.agreement) == ("301/3", 0.6)
    assert decide(cast(("x", 1)), Rule("numeric_average")).reason == "not_numbers"
    assert decide(cast(("1", 1), ("2", 1)), Rule("numeric_average")).reason == "too_far_apart"


@pytest.mark.timeout(20)  # Fraction's own parser works on 10^(10^9) until the memory is full
@pytest.mark.parametrize("value", ["1e999999999", "-1E+999999999", "1e309", "nan", "inf", "1/0", "9" * 900, "\\infty"])
def test_a_number_that_nobody_can_hold_is_no_number_to_average(value: str) -> None:
    found = decide(cast(("7", 1), (value, 1), ("7", 1)), Rule("numeric_average"))
    assert (found.value, found.agreement) == ("7", 2 / 3)


def test_a_number_with_its_unit_is_averaged_as_that_number() -> None:
    votes = cast(("18\\text{ dollars}", 1), ("\\frac{36}{2}", 1), ("19", 1))
    assert decide(votes, Rule("numeric_average", tolerance=0.1)).value == "55/3"


def test_equivalent_answers_are_one_candidate() -> None:
    votes = cast(("0.5", 1), ("\\frac12", 1), ("2", 1), ("1/2", 1), ("2", 1))
    assert [(one.value, len(one.ballots)) for one in candidates(votes, NAMES)] == [("2", 2), ("0.5", 3)]
    assert decide(votes, Rule(), names=NAMES).agreement == 0.6
    assert decide(votes, Rule()).value == "2"


def test_sameness_is_passed_on_also_where_a_pair_was_not_judged() -> None:
    told = {("1", "one"): True, ("one", "unity"): True, ("1", "2"): False}
    found = named(["unity", "2", "1", "one"], lambda a, b: told.get((a, b)))
    assert found == {"unity": "1", "one": "1", "1": "1", "2": "2"}


def test_an_average_that_somebody_said_is_spelled_as_it_was_said() -> None:
    assert decide(cast(("7.5", 1), ("7.5", 1), ("15/2", 1)), Rule("numeric_average")).value == "7.5"


def test_a_teachers_samples_become_one_ballot() -> None:
    assert ballot_of("a", ["1/2", "0.5", "3", None], NAMES) == Ballot("a", "0.5", 0.5)
    assert ballot_of("a", ["1", "2"]) == Ballot("a", None, 0.0)
    assert ballot_of("a", [None]).value is None


@given(ballots, rules, st.randoms())
def test_the_order_of_teachers_never_matters(votes: list[Ballot], rule: Rule, rng: random.Random) -> None:
    shuffled = rng.sample(votes, len(votes))
    assert decide(shuffled, rule, names=NAMES) == decide(votes, rule, names=NAMES)


@given(ballots, rules)
def test_agreement_and_entropy_are_in_range(votes: list[Ballot], rule: Rule) -> None:
    found = decide(votes, rule, names=NAMES)
    assert 0 <= found.agreement <= 1
    assert found.entropy >= 0
    assert (found.value is None) == (found.reason is not None)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), rules, st.integers(0, 4))
def test_a_duplicate_teacher_never_turns_a_unanimous_verdict(given_: list[float], rule: Rule, who: int) -> None:
    votes = [Ballot(teacher, "7", confidence) for teacher, confidence in zip("abcde", given_, strict=False)]
    before = decide(votes, rule)
    after = decide([*votes, votes[who % len(votes)]], rule)
    assert (before.value, before.agreement) == ("7", 1.0)
    assert (after.value, after.agreement, after.entropy) == ("7", 1.0, 0.0)


def pupils(shares: dict[str, float], questions: int) -> tuple[list[Votes], list[str]]:
    """Votes of teachers who are right as often as given, and the truth."""
    rng = random.Random(1)
    truth = [rng.choice("ABCD") for _ in range(questions)]
    wrong = {one: "ABCD".replace(one, "") for one in "ABCD"}

    def vote(one: str, share: float) -> str:
        return one if rng.random() < share else rng.choice(wrong[one])

    return [tuple((name, vote(one, share)) for name, share in shares.items()) for one in truth], truth


def test_reliability_is_found_without_the_truth() -> None:
    shares = {"good": 0.9, "fair": 0.7, "poor": 0.4}
    votes, truth = pupils(shares, 1500)
    majority = [decide([Ballot(*item) for item in vote], Rule(ties="first")).value for vote in votes]
    # A table has sixteen numbers to find where a coin has one.
    for found, noise in ((one_coin(Counter(votes)), 0.06), (dawid_skene(Counter(votes), "ABCD"), 0.08)):
        assert found.share == pytest.approx(shares, abs=noise)
        believed = [max(belief.items(), key=lambda item: item[1])[0] for belief in map(found.beliefs, votes)]
        assert hits(believed, truth) > hits(majority, truth)


said_by = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["no", "yes"]), min_size=1)


@settings(max_examples=40)
@given(st.lists(said_by, min_size=1, max_size=12), st.randoms())
def test_what_is_learned_of_the_teachers_does_not_depend_on_any_order(
    given_: list[dict[str, str]], rng: random.Random
) -> None:
    votes: list[Votes] = [tuple(sorted(each.items())) for each in given_]
    shuffled: list[Votes] = [tuple(rng.sample(each, len(each))) for each in rng.sample(votes, len(votes))]
    for learn in (one_coin, lambda times: dawid_skene(times, ["no", "yes"])):
        found, again = learn(Counter(votes)), learn(Counter(shuffled))
        assert found.share == pytest.approx(again.share)
        assert found.beliefs(votes[0]) == pytest.approx(again.beliefs(tuple(reversed(votes[0]))))


def hits(said: Sequence[str | None], truth: Sequence[str]) -> int:
    return sum(one == other for one, other in zip(said, truth, strict=True))


def test_a_teacher_who_says_no_too_readily_is_seen_through() -> None:
    rng = random.Random(2)
    truth = [rng.choice(["yes", "no"]) for _ in range(1000)]
    votes = [(
        ("naysayer", "no" if one == "no" or rng.random() < 0.6 else "yes"),
        *((name, one if rng.random() < 0.75 else "no" if one == "yes" else "yes") for name in ("ann", "ben")),
    ) for one in truth]  # fmt: skip
    found = dawid_skene(Counter(votes), ["no", "yes"])
    # It never says yes where no is true: its yes counts for more than two others' no.
    assert found.beliefs([("naysayer", "yes"), ("ann", "no"), ("ben", "no")])["yes"] > 0.5


def test_no_votes_at_all() -> None:
    assert one_coin({}).share == {}
    assert one_coin({(): 1}).beliefs(()) == {}
    assert dawid_skene({(): 1}, ["no", "yes"]).beliefs(()) == {"no": 0.5, "yes": 0.5}


def test_a_teacher_of_whom_nothing_is_known_counts_nothing() -> None:
    votes = [Ballot("a", "1"), Ballot("new", "2"), Ballot("newer", "2")]
    assert decide(votes, Rule("reliability", reliability=SHARES)).value == "1"
