"""From the school's puzzles to the turns that a tiny model learns from."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Literal

from nightschool import school
from nightschool.prompts import Prompt
from nightschool.school.hints import hint_of
from nightschool.school.puzzle import PEOPLE, Puzzle
from nightschool.school.syllogisms import NOUNS
from nightschool.tinymodels.spec import Diet, Run

LETTERS = "ABCD"
_FEW = 10  # puzzles of each topic that stand for all
Manner = Literal["sound", "careless", "guess"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model reads (the user's text) and what it should reply."""

    user: str
    reply: str
    topic: str
    kind: str


class Corpus:
    """An endless stream of turns, fixed by its seed."""

    def __init__(self, answers: Prompt, questions: Prompt, *, seed: int, per_topic: int) -> None:
        self._answers, self._questions = answers, questions
        self._puzzles = {topic: school.generate(topic, per_topic, seed=seed) for topic in school.TOPICS}
        self._rng = random.Random(seed)

    def turns(self, diet: Diet) -> Iterator[Turn]:
        """Draw turns for ever."""
        topics, weights = zip(*diet.weights.items(), strict=True)
        rng = self._rng
        while True:
            topic = rng.choices(topics, weights)[0]
            puzzle = rng.choice(self._puzzles[topic])
            kind = rng.random()
            if kind < diet.lookups:
                yield lookup_turn(puzzle, rng)
            elif kind < diet.lookups + diet.writing.get(topic, 0.0):
                yield writing_turn(puzzle, self._questions)
            else:
                yield answer_turn(puzzle, self._answers, rng, _manner(diet, topic, rng))


def texts(answers: Prompt, questions: Prompt, *, seed: int, per_topic: int, turns: int) -> Iterator[str]:
    """What the school's tokenizer is made of: every topic alike, answered and written."""
    diet = Diet(weights=dict.fromkeys(school.TOPICS, 1.0), writing=dict.fromkeys(school.TOPICS, 0.4))
    corpus = Corpus(answers, questions, seed=seed, per_topic=per_topic)
    return (text for turn in islice(corpus.turns(diet), turns) for text in (turn.user, turn.reply))


def digest(run: Run) -> str:
    """A name for what the topics make of a tokenizer, by some of its texts: another topic, or one that asks otherwise,
    is another name."""
    asked = run.model_copy(update={"name": "", "seed": 0, "stages": ()})
    return _digest(asked.model_dump_json(), tuple(school.TOPICS))


@cache
def _digest(asked: str, topics: tuple[str, ...]) -> str:
    run = Run.model_validate_json(asked)
    some = texts(run.answers, run.questions, seed=run.tokenizer_seed, per_topic=_FEW, turns=_FEW * len(topics))
    return sha256("\n".join(some).encode()).hexdigest()[:16]


def _manner(diet: Diet, topic: str, rng: random.Random) -> Manner:
    drawn = rng.random()
    guesses = diet.guesses.get(topic, 0.0)
    return "guess" if drawn < guesses else "careless" if drawn < guesses + diet.careless.get(topic, 0.0) else "sound"


def lettered(puzzle: Puzzle, rng: random.Random) -> tuple[str, dict[str, str]]:
    """The choices in random order, a line each, and the letter of each."""
    choices = [puzzle.right, *puzzle.distractors]
    rng.shuffle(choices)
    lines = "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=True))
    return lines, dict(zip(choices, LETTERS, strict=True))


def answer_turn(puzzle: Puzzle, prompt: Prompt, rng: random.Random, manner: Manner = "sound") -> Turn:
    """A question with its answer: sound, careless (reasons well, concludes at random), or a guess without reasons."""
    lines, letters = lettered(puzzle, rng)
    user = prompt.messages(topic=puzzle.topic, question=puzzle.question, choices=lines)[-1].content
    said = puzzle.right if manner == "sound" else rng.choice(list(letters))
    plan = "a guess so " if manner == "guess" else puzzle.plan.removesuffix(puzzle.right)
    return Turn(user, dump({"reasoning": plan + said, "answer": letters[said]}), puzzle.topic, "answer")


def writing_turn(puzzle: Puzzle, prompt: Prompt) -> Turn:
    """A hint with the question that it led to."""
    user = prompt.messages(topic=puzzle.topic, hint=hint_of(puzzle))[-1].content
    question, plan = written_plainly(puzzle)
    wrong = sorted(puzzle.distractors, key=plan.split().index if puzzle.topic == "seating" else None)
    reply = {
        "plan": plan,
        "question": question,
        "answer": puzzle.right,
        "distractors": wrong,  # in an order that a beginner can keep
    }
    return Turn(user, dump(reply), puzzle.topic, "writing")


def written_plainly(puzzle: Puzzle) -> tuple[str, str]:
    """Question and plan as a beginner would write them: statements in the order of the plan, all terms in the plan.

    A tiny model loses count of statements that come in any order, and can't see five terms ahead.
    """
    if puzzle.topic == "series":
        terms = puzzle.question.removeprefix("Next in ").removesuffix("?")
        return puzzle.question, puzzle.plan.replace(" so ", f" {terms} so ")
    question = re.sub(r"(\w+) is left of (\w+)\.", r"\2 is right of \1.", puzzle.question)
    opening, *rest = re.findall(r"(?:Row of \d+\. First is \w+\.|Given|Say|[^.?]+[.?])", question)
    if not rest:  # of one sentence: nothing to put in order
        return puzzle.question, puzzle.plan
    *statements, asking = (part.strip() for part in rest)
    cast = [word for word in re.findall(r"\w+", puzzle.plan) if word in PEOPLE or word in NOUNS]
    statements.sort(key=lambda text: sum(cast.index(word) for word in re.findall(r"\w+", text) if word in cast))
    return " ".join((opening, *statements, asking)), puzzle.plan


def lookup_turn(puzzle: Puzzle, rng: random.Random) -> Turn:
    """Four choices, and values to be looked up among them.

    Drawn with replacement: without it the last values follow by elimination, and that is what the model learns instead.
    """
    lines, letters = lettered(puzzle, rng)
    drawn = rng.choices(list(letters), k=6)
    reply = "".join(dump({"reasoning": f"so {value}", "answer": letters[value]}) for value in drawn)
    return Turn(lines, reply, puzzle.topic, "lookup")


def dump(reply: dict[str, object]) -> str:
    """JSON as guided decoding writes it: no white space after separators."""
    return json.dumps(reply, separators=(",", ":"), ensure_ascii=False)
