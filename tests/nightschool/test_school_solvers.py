"""The solvers: against tables, and against text that means nothing."""

import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool import school

SOLVED = {
    "syllogisms": [
        ("Given All cats are mice. All mice are lions. What follows for cats and lions?", "all"),
        ("given that every cat is a mouse and no mice are the lions: what follows for Cats and lions", "no"),
        ("All cats are dogs. What follows for dogs and cats?", "some"),
        ("Only cats are dogs; not all cats are birds. How are dogs related to cats?", "all"),
        ("Some A are B. No B are C. What can be concluded about A and C?", "some not"),
        ("All big red cars are toys. None of the toys are boats. What follows for boats and big red cars?", "no"),
        ("All cats are mice. Some mice are lions. What follows for cats and lions?", "unclear"),
    ],
    "seating": [
        (
            "Row of 4. First is Leo. Dan is right of Leo. Tom is right of Ivy. Dan is left of Ivy. "
            "Who is second from right?",
            "Ivy",
        ),
        (
            "Leo, Dan and Ivy sit in a row facing north. Leo is at the left end. Ivy is next to Leo. "
            "Who is in the middle?",
            "Ivy",
        ),
        (
            "Five friends sit in a row. A is left of B. B is left of C. D is between B and C. E is last. Who is third?",
            "D",
        ),
        (
            "Two rows of 2 face each other. Ann is in the front row. Bob faces Ann. "
            "Bob is to the immediate left of Eve. Joy is next to Ann. Who sits opposite Eve?",
            "Joy",
        ),
        ("Row of 3. Leo is not at an end. Dan is two places left of Ivy. Who is directly right of Leo?", "Ivy"),
        ("Row of 4. First is Leo. Who is leftmost?", "Leo"),
    ],
    "blood_relations": [
        ("Say Bob is father of Ivy. Leo is father of Bob. Leo is what to Ivy?", "grandfather"),
        ("Leo is the dad of Bob. BOB is brother of ivy; what is Leo to Ivy", "father"),
        ("Bob is son of Gus. Ann is Gus's daughter. How is Bob related to Ann?", "brother"),
        ("Kim is wife of Leo. Leo's father is Dan. Ann is mother of Kim. Dan is what to Kim?", "father-in-law"),
        ("Kim is parent of Leo. Kim is a woman. Who is Kim to Leo?", "mother"),
        ("Ann is mother of Bob. Bob is brother of Eve. Eve is daughter of Max. Ann is what to Max?", "wife"),
        ("Leo has a sister named Kim. Kim has a son Dan. Dan is what to Leo?", "nephew"),
        ("Bob is son of Leo. Leo is brother of Kim. Eve is child of Kim. Bob is what to Eve?", "cousin"),
    ],
    "series": [
        ("Next in N4 P7 R10 T13?", "V16"),
        ("N4, P7, R10, T13, ... What comes next?", "V16"),
        ("WHAT IS THE NEXT TERM IN THE SERIES: 1, 1, 2, 3, 5, ___?", "8"),
        ("Next in 3 6 12 24?", "48"),
        ("Next in 2 3 5 8 13?", "21"),
        ("Next in X Y Z?", "A"),
        ("Next in AZ BY CX?", "DW"),
        ("Next in A1 B2 D4 G7?", "K11"),
        ("Next in 1 2 4 5 7?", "8"),
        ("Next in A 1 C 2 E 3?", "G"),
        ("next in a1b c3d e5f", "G7H"),
        ("Next in IN JO KP?", "LQ"),
    ],
}
UNSOLVABLE = {
    "syllogisms": [
        "All cats are mice. No mice are cats. What follows for cats and mice?",
        "Some cats are mice. Some cats are not mice. What follows for cats and mice?",
    ],
    "seating": [
        "Row of 4. First is Leo. Dan is right of Leo. Tom is right of Ivy. Who is second from right?",
        "Row of 3. First is Leo. First is Dan. Ivy is last. Who is second?",
        "Row of 2. First is Leo. Dan is right of Leo. Ivy is right of Dan. Who is first?",
        "Row of 3. First is Leo. Dan is last. Who is second?",
    ],
    "blood_relations": [
        "Kim is parent of Leo. Kim is what to Leo?",
        "Bob is son of Gus. Gus is grandfather of Ivy. Bob is what to Ivy?",
        "Kim is father of Leo. Leo is father of Kim. Kim is what to Leo?",
        "Kim is father of Leo. Kim is mother of Ann. Ann is what to Leo?",
        "Kim is sister of Ann. Bob is father of Leo. Kim is what to Leo?",
        "Bob is son of Amy. Ann is daughter of Amy. Bob is husband of Ann. Bob is what to Ann?",
    ],
    "series": ["Next in 9 6 3 0?", "Next in Z26 Y25 W99?", "Next in 1 2 3 5 8 13 22?", "Next in 2 3 5 8?"],
}
MALFORMED = {
    "syllogisms": [
        "All cats are not dogs. What follows for cats and dogs?",
        "All cats are mice. All mice are lions.",
        "All cats are mice. What follows for cats and dogs?",
        "All cats are mice. What follows for cats and cats?",
        "All cats are mice or dogs. What follows for cats and mice?",
        "Most cats are mice. What follows for cats and mice?",
    ],
    "seating": [
        "First is Leo. Dan is right of Leo. Who is last?",
        "Row of 4. First is Leo. Nobody is last. Who is last?",
        "Row of 4. First is Leo. Dan is left of Dan. Who is last?",
        "Row of 4. Fifth is Leo. Who is last?",
        "Row of 99. First is Leo. Who is first?",
        "Row of 4. First is Leo. Who is first? Who is last?",
        "Row of 4. Leo is left of Dan or Tom. Who is first?",
        "Row of 4. Leo is in the middle. Who is first?",
    ],
    "blood_relations": [
        "Leo is father of Bob. Leo is what to Ivy?",
        "Leo is father of Leo. Leo is what to Leo?",
        "Leo is friend of Bob. Leo is what to Bob?",
        "Leo is father of Bob.",
        "He is father of Bob. He is what to Bob?",
    ],
    "series": [
        "N4 P7 R10 T13?",
        "Next in N4 P7?",
        "Next in N4 7P R10 T13?",
        "Next in N-4 P-7 R-10?",
        "Next in A1 B2 of C3 D4?",
    ],
}


@pytest.mark.parametrize(("topic", "question", "right"), [(t, *case) for t, cases in SOLVED.items() for case in cases])
def test_solved(topic: str, question: str, right: str):
    assert school.same(school.TOPICS[topic].solve(question), right)


@pytest.mark.parametrize(("topic", "question"), [(topic, q) for topic, cases in UNSOLVABLE.items() for q in cases])
def test_unsolvable(topic: str, question: str):
    with pytest.raises(school.Unsolvable):
        school.TOPICS[topic].solve(question)


@pytest.mark.parametrize(("topic", "question"), [(topic, q) for topic, cases in MALFORMED.items() for q in cases])
def test_malformed(topic: str, question: str):
    with pytest.raises(school.Malformed):
        school.TOPICS[topic].solve(question)


WORDS_OF_ALL = sorted(
    {word for cases in SOLVED.values() for question, _ in cases for word in question.split()}
    | {"\n", ".", "?", "'s", "٣"}
)
NONSENSE = st.one_of(
    st.text(max_size=400),
    st.text(st.characters(codec="utf-16", categories=("L", "N", "Z", "M", "S")), max_size=200),
    st.lists(st.sampled_from(WORDS_OF_ALL), max_size=40).map(" ".join),
)


ENDLESS_S = 2.0  # of this process's CPU; milliseconds are usual, and what backtracks takes minutes


def seconds_to_judge(topic: str, question: str) -> float:
    start = time.process_time()
    school.check(topic, question, "a", ("b", "c", "d"))
    return time.process_time() - start


@pytest.mark.parametrize("topic", list(school.TOPICS))
@given(question=NONSENSE)
@settings(max_examples=80)
def test_nonsense_is_judged_quickly(topic: str, question: str):
    assert seconds_to_judge(topic, question) < ENDLESS_S
    school.normalise(question)
    school.held_out(question)


HOSTILE = [
    "x" * 100_000,
    "\ud800" * 50,
    "\ufdfa" * 1_999,
    "Row of 4. " * 10_000,
    "is is is " * 200,
    "All a a a a a are " * 100,
    "leo and " * 240 + "sit in a row",
    "leo, " * 390,
    "not not all every of the a " * 70,
    "that " * 399,
    "Next in " + "9" * 1_900 + " 1 2 3",
    "Row of 8. Ben is directly left of Max. Max is not next to Jim. Bob is not next to Tom. Dan is not next to Leo. "
    "Sam is not next to Tom. Tom is not next to Max. Leo is not next to Max. Jim is between Sam and Leo. Who is first?",
    " ".join(f"Ax is great-grandparent of {name}." for name in ("Bx", "Cx", "Dx", "Ex", "Fx", "Gx"))
    + " Ax is what to Bx?",
    " ".join(f"{a} is cousin of {b}." for a, b in combinations(("Ax", "Bx", "Cx", "Dx"), 2)) + " Ax is what to Bx?",
]


@pytest.mark.parametrize("topic", list(school.TOPICS))
@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_judged_quickly(topic: str, question: str):
    assert seconds_to_judge(topic, question) < ENDLESS_S
    assert school.right_choice(topic, question, ["a", "b", "c", "d"]) is None
