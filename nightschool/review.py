"""From rows that the committee left open, and what people decide, to rulings: the queue, a decision, its effect."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from nightschool.records import LETTERS, Question, Ruling
from nightschool.seeds import seed_of
from nightschool.values.kinds import Fallback, Kind
from nightschool.values.read import equal, read, read_truth

RULES_VERSION = 1

# withdraw: as if nobody had decided; that is how a decision is undone, for what is on file stays on file.
Action = Literal["accept", "choose", "edit", "reject", "withdraw"]
# What an answer has to be, in words for whoever types one.
_NAMED: dict[Kind, str] = {
    "letter": "a letter from A to J", "yes_no": "yes or no", "integer": "a whole number", "number": "a number",
    "latex": "an expression", "text": "a short text",
}  # fmt: skip
WAITS, REJECTED = "waits_for_person", "rejected_by_person"


class Decision(BaseModel):
    """What a person made of a question: whole in itself, so that it serves any night that meets the same content.

    `content` is what it is about, see `content_of`; accept, choose and edit have an answer with its reasoning. `night`
    and `row` say where it was met, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str
    action: Action
    answer: str | None = None
    reasoning: str = ""
    note: str = ""
    who: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    when: AwareDatetime
    night: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """One teacher on a row: its vote, and what led to it; without an answer, why there is none."""

    teacher: str
    answer: str | None
    reasoning: str


@dataclass(frozen=True, slots=True)
class Case:
    """A row that waits, as a person sees it."""

    ruling: Ruling
    voices: tuple[Voice, ...]
    kind: Kind
    fallback: Fallback = "none"

    @property
    def content(self) -> str:
        return content_of(self.ruling.question)

    @property
    def leading(self) -> str | None:
        """The answer that would be accepted as it is: the vote's, else the one with most votes; None if there is none.

        A tie has none, and nor has an answer that no teacher argues for.
        """
        ruling = self.ruling
        counts = Counter(voice.answer for voice in self.voices if voice.answer).most_common(2)
        most = counts[0][0] if counts and (len(counts) == 1 or counts[0][1] > counts[1][1]) else None
        found = ruling.answer or ruling.vote or most
        return found if found and self.reasoning_for(found) else None

    def reasoning_for(self, answer: str) -> str:
        """A teacher's own way to this answer, the first in the recipe's order; empty if nobody went it."""
        if self.ruling.answer == answer and self.ruling.reasoning:
            return self.ruling.reasoning
        return next((voice.reasoning for voice in self.voices if voice.answer == answer and voice.reasoning), "")

    @property
    def options(self) -> tuple[str, ...]:
        """The answers to choose from: all letters of a question with choices, else what teachers said, most first."""
        if self.ruling.question.choices:
            return tuple(LETTERS[: len(self.ruling.question.choices)])
        if self.kind == "yes_no":
            return ("yes", "no")
        counts = Counter(voice.answer for voice in self.voices if voice.answer)
        return tuple(sorted(counts, key=lambda answer: (-counts[answer], answer)))


def content_of(question: Question) -> str:
    """What a decision is about: the question and its lettered choices, whoever answered it and however they voted.

    Choices in another order are other content: a person's reasoning may name letters.
    """
    words = [" ".join(text.split()) for text in (question.question, *question.choices)]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:24]


def in_order(rulings: Iterable[Ruling]) -> list[Ruling]:
    """What teaches most first: the most split votes, every topic in turn, so that whoever stops early leaves none out.

    The place of a row depends on its topic's rows alone.

    Source: vote entropy, Dagan & Engelson 1995, "Committee-based sampling for training probabilistic classifiers".
    """
    topics: dict[str, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        topics[ruling.question.topic].append(ruling)
    ranked = [
        (rank, topic, row)
        for topic, rows in topics.items()
        for rank, row in enumerate(sorted(rows, key=lambda row: (-row.entropy, row.agreement, seed_of(row.id))))
    ]
    return [row for _, _, row in sorted(ranked, key=lambda one: one[:2])]


def in_force(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """By content, the last word on it; decisions in the order in which they were made."""
    last = {decision.content: decision for decision in decisions}
    return {content: decision for content, decision in last.items() if decision.action != "withdraw"}


def decide(
    case: Case, *, who: str, when: datetime, answer: str | None, reasoning: str = "", note: str = "", night: str = ""
) -> Decision:
    """A decision from what a person gave: an answer, or None to reject the row.

    Args:
        reasoning: empty to take a teacher's own. What was given decides whether it counts as accepted, chosen, edited.

    Raises:
        ValueError: it cannot be taught so; says in words which field is wrong.
    """
    place = {"content": case.content, "who": who, "when": when, "note": note, "night": night, "row": case.ruling.id}
    if answer is None:
        return Decision(action="reject", **place)
    answer = canonical(case, answer) or answer.strip()
    own = case.reasoning_for(answer)
    taught = reasoning if reasoning.strip() else own
    if wrong := flaw(case, answer, taught):
        raise ValueError(wrong)
    action = "edit" if taught != own else "accept" if answer == case.leading else "choose"
    return Decision(action=action, answer=answer, reasoning=taught, **place)


def flaw(case: Case, answer: str, reasoning: str) -> str | None:
    """Why this answer cannot be taught with this reasoning, in words for whoever typed it; None if it can."""
    if answer not in case.options and canonical(case, answer) != answer:
        allowed = f"one of {', '.join(case.options)}" if case.ruling.question.choices else _NAMED[case.kind]
        return f"answer: {answer or 'nothing'!r:.40} is not {allowed}"
    if not reasoning.strip():
        return f"reasoning: no teacher argues for {answer:.40}, so write why it is right"
    if case.ruling.question.choices:
        return None
    found = read(reasoning, case.kind, fallback=case.fallback).value
    if found is None or equal(answer, found, case.kind) is False:
        return f"reasoning: it comes to {found or 'no answer'!r:.40}, not to {answer:.40}; edit it too"
    return None


def canonical(case: Case, answer: str) -> str | None:
    """What a person typed, as the committee writes it: " b " is B, "1,024" is 1024; None if it is no answer here."""
    text = answer.strip()
    if case.ruling.question.choices:
        return text.upper() if text.upper() in case.options else None
    if case.kind == "yes_no" and text.casefold() in ("y", "n"):
        return "yes" if text.casefold() == "y" else "no"
    return text if text in case.options else read_truth(text, case.kind).value


def ruled(ruling: Ruling, decisions: Mapping[str, Decision]) -> Ruling:
    """The row as people leave it: accepted with their answer, rejected, or still waiting."""
    decision = decisions.get(content_of(ruling.question))
    if decision is None:
        return ruling.model_copy(update={"answer": None, "reason": WAITS})
    if decision.action == "reject":
        fields = {"verdict": "reject", "answer": None, "reasoning": "", "reason": REJECTED}
    else:
        fields = {"verdict": "accept", "answer": decision.answer, "reasoning": decision.reasoning, "reason": None}
    return ruling.model_copy(update={**fields, "by": "person", "who": decision.who})


def deadline(mode: str, now: datetime) -> datetime | None:
    """Until when a night waits for people: None as long as it takes, `now` not at all.

    "until 06:30" means the 06:30 that is nearest: a night that comes here at 22:00 waits, one that is run again at
    09:00 goes on at once.

    Args:
        now: with the time zone that the clock on the wall has.
    """
    if mode == "wait":
        return None
    if mode == "skip":
        return now
    at = datetime.combine(now.date(), time.fromisoformat(mode.removeprefix("until ")), now.tzinfo)
    days = [at + timedelta(days=day) for day in (-1, 0, 1)]
    return max(now, min(days, key=lambda day: abs(day - now)))
