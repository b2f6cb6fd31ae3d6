"""From two writers' questions to what a judge prefers: pairs, asked in both orders, read as untrusted text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints

from nightschool.parsing import Rejected, parse_json
from nightschool.prompts import Prompt
from nightschool.records import Row
from nightschool.seeds import drawn, seed_of
from nightschool.wire import Ask, Choice, Reply, Sampling

RULES_VERSION = 1

Better = Literal["ours", "theirs", "tie"]


class JudgeReply(BaseModel):
    """The JSON that a judge is held to: reasons before the verdict."""

    model_config = ConfigDict(extra="forbid")

    reasoning: Annotated[str, StringConstraints(max_length=8000)]
    better: Literal["first", "second", "tie"]


SCHEMA = JudgeReply.model_json_schema()


class Written(NamedTuple):
    """A question as a judge reads it, with its choices."""

    id: str
    topic: str
    text: str


class Pair(NamedTuple):
    """Two questions on one topic; `swapped`: theirs is shown first."""

    id: str
    topic: str
    ours: str
    theirs: str
    swapped: bool


class Preferred(Row):
    """What a judge said of a pair in one order; None with the `reason` where that could not be read.

    `pair` is the same for both orders, `comparison` "OURS over THEIRS"; lengths in characters.
    """

    comparison: str
    pair: str
    topic: str
    swapped: bool
    better: Better | None
    reason: str | None
    ours_chars: int
    theirs_chars: int
    text: str


def pairs(name: str, ours: Iterable[Written], theirs: Iterable[Written], *, most: int, seed: int) -> list[Pair]:
    """Each question of ours with one of theirs on its topic, in the order in which they were written; both orders.

    Args:
        name: of the comparison; begins the pairs' ids.
        most: pairs at most, drawn by seed; each is two rows.
    """
    by_topic: dict[str, tuple[list[Written], list[Written]]] = defaultdict(lambda: ([], []))
    for side, questions in enumerate((ours, theirs)):
        for one in questions:
            by_topic[one.topic][side].append(one)
    found = {
        f"{name}: {one.id} {other.id}": (one, other)
        for mine, others in by_topic.values()
        for one, other in zip(mine, others, strict=False)
    }
    kept = drawn(found, most, "quality", seed)
    return [
        Pair(f"{pair}@{int(swapped)}", one.topic, one.text, other.text, swapped)
        for pair, (one, other) in found.items()
        if pair in kept
        for swapped in (False, True)
    ]


def ask(pair: Pair, *, prompt: Prompt, sampling: Sampling, seed: int) -> Ask:
    """The request for one order.

    Source: Zheng et al. 2023, arXiv 2306.05685, section 3.4 (both orders); plan 002, "GPT-4 question-quality".
    """
    first, second = (pair.theirs, pair.ours) if pair.swapped else (pair.ours, pair.theirs)
    return Ask(
        id=pair.id,
        messages=prompt.messages(topic=pair.topic, first=first, second=second),
        sampling=sampling,
        seed=seed_of("quality", seed, pair.id),
        json_schema=SCHEMA,
    )


def flaw(choice: Choice) -> str | None:
    """Why a reply says nothing, if so."""
    found = _found(choice)
    return found.reason if isinstance(found, Rejected) else None


def read(reply: Reply, pair: Pair) -> Preferred:
    """What a reply prefers; one that cannot be read prefers nothing, which is no tie."""
    choice = reply.choices[0]
    found = _found(choice)
    comparison, _, _ = pair.id.partition(": ")
    return Preferred(
        id=pair.id,
        comparison=comparison,
        pair=pair.id.rpartition("@")[0],
        topic=pair.topic,
        swapped=pair.swapped,
        better=None if isinstance(found, Rejected) else _better(found, pair.swapped),
        reason=found.reason if isinstance(found, Rejected) else None,
        ours_chars=len(pair.ours),
        theirs_chars=len(pair.theirs),
        text=choice.text[:500],
    )


def _found(choice: Choice) -> JudgeReply | Rejected:
    return parse_json(choice.text, JudgeReply, finish=choice.finish, repair=True)


def _better(said: JudgeReply, swapped: bool) -> Better:
    if said.better == "tie":
        return "tie"
    return "ours" if (said.better == "first") is not swapped else "theirs"
