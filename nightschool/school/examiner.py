"""The examiner: makes puzzles without repeats, keeps tests out of training, and rules on questions of any origin."""

import random
import re
from collections.abc import Container, Mapping, Sequence
from hashlib import blake2b

from nightschool.errors import RecipeError
from nightschool.school.blood_relations import BloodRelations
from nightschool.school.puzzle import LEVELS, Check, Malformed, Puzzle, Topic, Unsolvable
from nightschool.school.seating import Seating
from nightschool.school.series import Series
from nightschool.school.syllogisms import Syllogisms

# One more whenever the same seed makes other puzzles, or the same question gets another verdict.
RULES_VERSION = 1
TOPICS: Mapping[str, Topic] = {topic.name: topic for topic in (Syllogisms(), Seating(), BloodRelations(), Series())}
# So many draws in a row without a new question mean that the topic has hardly any left.
_PATIENCE = 3_000


def normalise(question: str) -> str:
    """The question as compared with others: words and numbers in lower case, sentences in sorted order.

    The same clues in another order are the same question: twins can't stand on both sides of the held-out line.
    """
    sentences = (" ".join(re.findall(r"\w+", sentence)) for sentence in re.split(r"[.?!\n]", question.casefold()))
    return ". ".join(sorted(sentence for sentence in sentences if sentence))


def held_out(question: str) -> bool:
    """Whether a question is kept for tests and never trained on: a fixed eighth, by hash of the normalised text."""
    return blake2b(normalise(question).encode("utf-8", "replace"), digest_size=8).digest()[0] % 8 == 0


_is_held_out = held_out


def same(a: str, b: str) -> bool:
    """Whether two choices say the same: case, spaces and final punctuation don't count."""
    return _plain(a) == _plain(b)


def _plain(choice: str) -> str:
    return " ".join(choice.casefold().split()).rstrip(" .,;:!?")


def generate(
    topic: str,
    n: int,
    *,
    seed: int,
    levels: Sequence[int] = (1,),
    held_out: bool = False,
    avoid: Container[str] = (),
) -> list[Puzzle]:
    """Make distinct puzzles of one topic; the first puzzles of a longer list are those of a shorter one.

    Args:
        topic: a key of `TOPICS`.
        n: how many.
        seed: the same seed makes the same puzzles; every topic draws its own.
        levels: taken in turns, each in `LEVELS`.
        held_out: which side of the line that `held_out` draws.
        avoid: normalised questions that are used already.

    Raises:
        RecipeError: topic or level unknown, `n` negative, or the topic hasn't that many questions.
    """
    _refuse_impossible(topic, n, levels)
    rng = random.Random(f"{topic} {seed}")
    puzzles: dict[str, Puzzle] = {}
    misses = 0
    while len(puzzles) < n:
        puzzle = TOPICS[topic].generate(rng, levels[len(puzzles) % len(levels)])
        question = normalise(puzzle.question)
        if question not in puzzles and question not in avoid and _is_held_out(puzzle.question) == held_out:
            puzzles[question] = puzzle
            misses = 0
        elif (misses := misses + 1) > _PATIENCE:
            message = f"{topic} has no {n} distinct questions at level {puzzle.level}; {len(puzzles)} were found"
            raise RecipeError(message, field="n", value=n, allowed="fewer questions, or more levels")
    return list(puzzles.values())


def _refuse_impossible(topic: str, n: int, levels: Sequence[int]) -> None:
    if topic not in TOPICS:
        raise RecipeError("no such topic", field="topics", value=topic, allowed=", ".join(TOPICS))
    if not levels or not set(levels) <= set(LEVELS):
        raise RecipeError(f"no such level of {topic}", field="levels", value=levels, allowed=f"some of {LEVELS}")
    if n < 0:
        raise RecipeError(f"cannot make fewer than no questions of {topic}", field="n", value=n, allowed="0 or more")


def check(topic: str, question: str, right: str, distractors: Sequence[str]) -> Check:
    """Rule on a question with its key, whoever wrote it.

    `malformed`: topic unknown, text unreadable, or the choices aren't four different ones; `unsolvable`: no answer or
    several; `wrong_key`: the solver's answer isn't `right`, and `detail` says whether it's among the distractors.

    Source: plan 000, "Quality Spot Check".
    """
    if topic not in TOPICS:
        return Check("malformed", None, f"no topic {topic[:40]!r}")
    choices = {_plain(choice) for choice in (right, *distractors)}
    if len(distractors) != 3 or len(choices) != 4 or "" in choices:
        return Check("malformed", None, "needs four different choices")
    try:
        answer = TOPICS[topic].solve(question)
    except Malformed as error:
        return Check("malformed", None, str(error))
    except Unsolvable as error:
        return Check("unsolvable", None, str(error))
    if same(answer, right):
        return Check("ok", answer, "")
    offered = any(same(answer, choice) for choice in distractors)
    return Check("wrong_key", answer, f"the answer is {'a distractor' if offered else 'not among the choices'}")


def right_choice(topic: str, question: str, choices: Sequence[str]) -> int | None:
    """The index of the one choice that is the solver's answer; None where the solver can't judge."""
    try:
        answer = TOPICS[topic].solve(question)
    except (KeyError, Malformed, Unsolvable):
        return None
    fitting = [i for i, choice in enumerate(choices) if same(choice, answer)]
    return fitting[0] if len(fitting) == 1 else None
