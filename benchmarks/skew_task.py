"""From the school's puzzles to plan 002's rows: yes or no, filtered into its skew, mended or not, leaking or not.

A claim about a puzzle ("Is it uncle?") takes two steps to judge, which the base can write down and can't do in its
head: what StrategyQA is to a large model. The counts are plan 002's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from benchmarks.skew_replay import STAYS
from nightschool import school
from nightschool.balance import Card, Method, fates
from nightschool.leaks import Asked
from nightschool.prompts import Prompt
from nightschool.records import TaughtRow
from nightschool.school.puzzle import Puzzle
from nightschool.teaching import stating, taught
from nightschool.wire import Message

# 45.5% yes of 1,514, of which its filter leaves 1,037 with 28.4% yes; its test had 333 yes and 354 no.
POOL = {"yes": 689, "no": 825}
TEST = {"yes": 333, "no": 354}
# The task was designed on the questions of seed 0, so they prove nothing.
TEST_SEED = 1
TOPICS = ("blood_relations",)
# What a student is taught. answer: its answer alone (plan 002's phase A). reasoning: the way and the answer (what its
# phase B was to teach). leaked: its phase B as it was, the teacher's text with the answer in the prompt. handed: the
# same without the last sentence.
Lesson = Literal["answer", "reasoning", "leaked", "handed"]
ASK = Prompt(system=None, user="$question")
_PROMPTS = {
    "leaked": Prompt(system=None, user="$question\nTeacher: $way. The answer is $truth."),
    "handed": Prompt(system=None, user="$question\nTeacher: $way."),
}


class Item(NamedTuple):
    """A question with its truth, and the teacher's way to it."""

    id: str
    question: str
    way: str
    truth: str


def items(counts: Mapping[str, int], *, seed: int, held_out: bool) -> list[Item]:
    """So many questions of each truth, in any order; none that another side of `held_out` has."""
    rng = random.Random(f"skew {seed} {held_out}")
    truths = [truth for truth, count in counts.items() for _ in range(count)]
    each = -(-len(truths) // len(TOPICS))
    puzzles = [puzzle for topic in TOPICS for puzzle in school.generate(topic, each, seed=seed, held_out=held_out)]
    rng.shuffle(puzzles)
    rng.shuffle(truths)
    found = []
    for place, (puzzle, truth) in enumerate(zip(puzzles, truths, strict=False)):
        question = f"{puzzle.question} Is it {claim(puzzle, truth, rng)}?"
        found.append(Item(f"{place:04}", question, puzzle.plan, truth))
    return found


def claim(puzzle: Puzzle, truth: str, rng: random.Random) -> str:
    """What is asked about: the right answer where yes is true, else a wrong one."""
    return puzzle.right if truth == "yes" else rng.choice(puzzle.distractors)


def filtered(pool: Sequence[Item], *, seed: int) -> list[Item]:
    """What agreement of plan 002's teacher with the truth leaves: 39 of 91 that are yes, 98 of 109 that are no."""
    rng, stays = random.Random(f"filter {seed}"), set[str]()
    for truth, share in STAYS.items():
        of_truth = [one.id for one in pool if one.truth == truth]
        stays.update(rng.sample(of_truth, round(share * len(of_truth))))
    return [one for one in pool if one.id in stays]


def rows(kept: Sequence[Item], lesson: Lesson, method: Method, *, seed: int) -> Iterator[tuple[TaughtRow, Asked]]:
    """The rows to train on, beside what is asked later: as many as were kept, whatever the balance."""
    cards = [Card(one.id, one.truth) for one in kept]
    for one, fate in zip(kept, fates(cards, method=method, seed=seed, max_rows=len(kept), most_copies=4), strict=True):
        reply = Message(role="assistant", content=_reply(one, lesson))
        for copy in range(fate.copies):
            name = f"{one.id}+{copy}"
            yield (
                TaughtRow(id=name, weight=fate.weight, prompt=prompt(one, lesson), completion=(reply,)),
                Asked(id=name, prompt=prompt(one, "answer"), answer=one.truth, kind="yes_no"),
            )


def prompt(one: Item, lesson: Lesson) -> tuple[Message, ...]:
    """What the student reads while it is taught; it is asked as `answer` is, whatever it was taught."""
    return _PROMPTS.get(lesson, ASK).messages(question=one.question, way=one.way, truth=one.truth)


def _reply(one: Item, lesson: Lesson) -> str:
    if lesson == "reasoning":
        return taught(one.way, one.truth, "yes_no", form="reasoning", letters=False)
    return stating(one.truth, "yes_no")
