"""The rows of a night: what each phase hands to the next."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from nightschool.mended import Mended, Side
from nightschool.wire import Message

LETTERS = "ABCDEFGHIJ"
Letter = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]
# What one solution is, and one teacher's solutions to a question, and all teachers' (plan 004's four classes).
Mark = Literal["right", "wrong", "no_answer", "could_not_judge"]
Results = Literal["all_right", "all_wrong", "mixed"]
Agreed = Literal["mixed", "opposed", "all_right", "all_wrong"]
Outcome = Literal["accept", "reject", "review"]
CheckStatus = Literal["ok", "wrong_key", "unsolvable", "malformed", "unchecked"]


class Row(BaseModel):
    """A line of a chunk: fixed once written, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str


class Dropped(Row):
    """A row that did not make it, with exactly one reason; `detail` is for people, `text` the last reply.

    `failed`: the world gave no reply in so many `attempts`, so it may be asked again; otherwise the reply was judged.
    """

    topic: str = ""
    reason: str
    failed: bool = False
    attempts: int = 0
    detail: str = ""
    text: str = ""


class Written(Row):
    """A question as a teacher wrote it, before any check."""

    topic: str
    teacher: str
    plan: str
    question: str
    right: str
    distractors: tuple[str, ...]


class Question(Row):
    """A question; `truth` is the solver's or a file's letter, `key` the writer's, `answer` a file's: no model sees any.

    It has two to ten choices, or none if it is answered in free text. One that came from a file keeps its whole record
    in `fields`, and what the file calls it in `name`.
    """

    topic: str
    question: str
    choices: tuple[str, ...]
    truth: Letter | None
    key: Letter | None
    source: str
    check: CheckStatus
    answer: str | None = None
    level: str | None = None
    name: str | None = None
    fields: dict[str, Any] = {}

    @property
    def lettered(self) -> str:
        """The choices as a model reads them, one to a line."""
        return "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, self.choices, strict=False))


class Cast(BaseModel):
    """One sampled answer; no letter = an abstention, with its reason; `confidence` in [0, 1], if it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    letter: Letter | None
    reasoning: str = ""
    reason: str | None = None
    confidence: float | None = None


class Answer(Row):
    """All that one teacher said on one question (the row's id)."""

    teacher: str
    casts: tuple[Cast, ...]


class Said(BaseModel):
    """One sampled reply as free text; `finish` is the server's finish_reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: str
    reasoning: str | None = None
    confidence: float | None = None


class Solutions(Row):
    """All that one teacher wrote on one question (the row's id), in the order of its samples."""

    teacher: str
    said: tuple[Said, ...]


class Ruling(Row):
    """What the committee, and after it a person, made of a question: accepted with an answer, or not, with a reason.

    `answer` is a letter or a solution's value, `reasoning` what a teacher wrote on the way to it, or the solution.
    `votes` has each teacher's own, None = it abstained; `vote` is what they decide by themselves; `votes_right` and
    `vote_right` whether they are, as far as is known. `agreement`: share of cast votes behind the leading answer;
    `entropy` in bits. By teacher: samples `judged` and `right`, and `results`. `weight` is for the loss; `who` decided.
    """

    question: Question
    verdict: Outcome
    answer: str | None
    reasoning: str
    by: Literal["solver", "truth", "votes", "person"]
    reason: str | None
    votes: dict[str, str | None]
    vote: str | None
    agreement: float
    entropy: float = 0.0
    confidence: float = 0.0
    votes_right: dict[str, bool] = {}
    vote_right: bool | None = None
    judged: dict[str, int] = {}
    right: dict[str, int] = {}
    results: dict[str, Results] = {}
    agreed: Agreed | None = None
    detail: str = ""
    who: str | None = None
    side: Side = "train"
    weight: float = 1.0
    mended: Mended = Mended()

    @property
    def pass_rate(self) -> float | None:
        """Share of right samples among those that were judged; None where none was."""
        judged = sum(self.judged.values())
        return sum(self.right.values()) / judged if judged else None


class Measured(Row):
    """One answer of the student on a held-out question under one sampling seed; no value = none could be read."""

    question: str
    topic: str
    seed: int
    truth: str
    value: str | None
    right: bool
    reason: str | None
    latency_s: float
    tokens_out: int
    text: str


class Draft(Row):
    """What the student first says on a question, by the digest of all that it was asked; the same for all seeds."""

    text: str
    finish: str


class Challenge(Row):
    """A question of the arena; `flaw` is why it is invalid, as far as rules and solver can tell."""

    author: str
    topic: str
    question: Question | None
    flaw: str | None
    detail: str = ""


class TaughtRow(Row):
    """A row to imitate, in TRL's conversational columns; its loss is multiplied with `weight`."""

    weight: float = 1.0
    prompt: tuple[Message, ...]
    completion: tuple[Message, ...]


class PreferenceRow(Row):
    """Two replies to a `question`, in TRL's columns; `disagreement`: share of the teachers against the chosen one."""

    weight: float = 1.0
    question: str = ""
    disagreement: float = 0.0
    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]


class CritiqueSource(BaseModel):
    """Whose solution a critique judges: one schema for all rows, so that they make one table.

    `sample` is the solution's place among its teacher's, as they were merged, from 0; `value` the answer that was read
    out of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question_id: str
    topic: str
    teacher: str
    sample: int
    value: str


class CritiqueRow(Row):
    """A solution to judge: the prompt that shows it, and the judgement that its mark says is due.

    `ground_truth` is the question's own answer; a reward compares with `target`. An export's extra_info holds
    `extra_info`, `solution` and `ground_truth`.

    Source: plan 004, generate_critique_data.py and format_critique_data.py.
    """

    prompt: tuple[Message, ...]
    target: Literal["right", "wrong"]
    question: str
    solution: str
    ground_truth: str
    data_source: str
    side: Side = "train"
    ability: Literal["critique"] = "critique"
    extra_info: CritiqueSource
