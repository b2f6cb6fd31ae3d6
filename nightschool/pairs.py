"""From the student's own samples to preference pairs: right against wrong, same prompt, same format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nightschool.layout import same_format
from nightschool.records import Dropped, PreferenceRow
from nightschool.seeds import rng_of
from nightschool.wire import Message

RULES_VERSION = 2

# What a reply said, and whether that is right; None = it could not be read or judged.
Sample = tuple[str, bool | None]


@dataclass(frozen=True, slots=True)
class How:
    """How pairs are made, see the recipe's section.

    `chosen`: "student" prefers the student's own right replies (on policy), "teacher" the taught one to its drafts.
    `format`: "same" pairs only replies that mark their answers in the same way.
    """

    chosen: Literal["student", "teacher"] = "student"
    format: Literal["same", "any"] = "same"
    per_question: int = 1
    seed: int = 0


def build(
    row_id: str,
    how: How,
    *,
    topic: str,
    prompt: Sequence[Message],
    samples: Sequence[Sample],
    accepted: str,
    disagreement: float = 0.0,
) -> list[PreferenceRow] | Dropped:
    """At most `per_question` pairs of distinct texts for one question, or why there are none.

    The reasons: `all_right` (nothing to reject), `all_wrong` (nothing to choose), `unreadable`, `other_format`.

    Args:
        samples: the student's replies, judged by solver, truth or committee, never by the question writer's own key
            alone; one that could not be judged is left out.
        accepted: the taught completion.
        disagreement: of the pair, see `PreferenceRow`.

    Source: plan 000, 4.1; plan 002's pairs differed in format, which a model learns instead of the answer.
    """
    read = [(text, right) for text, right in samples if right is not None]
    right = [accepted] if how.chosen == "teacher" else sorted({text for text, fine in read if fine})
    wrong = sorted({text for text, fine in read if not fine} - set(right))
    rng = rng_of("pairs", how.seed, row_id)
    rng.shuffle(right)
    rng.shuffle(wrong)
    matched = (_matched(bad, right, place, how) for place, bad in enumerate(wrong if right else ()))
    found = [pair for pair in matched if pair]
    if not found:
        reason = "unreadable" if not read else "all_right" if not wrong else "other_format" if right else "all_wrong"
        return Dropped(id=row_id, topic=topic, reason=reason)
    common: dict[str, Any] = {"question": row_id, "disagreement": disagreement, "prompt": tuple(prompt)}
    return [
        PreferenceRow(id=f"{row_id}-{place}", chosen=_turn(good), rejected=_turn(bad), **common)
        for place, (good, bad) in enumerate(found[: how.per_question])
    ]


def dissent(votes: Iterable[bool | None]) -> float:
    """Share of the votes that were cast against an answer; 0 where nobody voted. None = an abstention."""
    cast = [vote for vote in votes if vote is not None]
    return sum(not vote for vote in cast) / len(cast) if cast else 0.0


def _turn(text: str) -> tuple[Message, ...]:
    return (Message(role="assistant", content=text),)


def _matched(bad: str, right: Sequence[str], place: int, how: How) -> tuple[str, str] | None:
    """A wrong reply beside a right one: each in turn, or the next that is laid out like it."""
    turns = (right[(place + step) % len(right)] for step in range(len(right)))
    return next(((good, bad) for good in turns if how.format == "any" or same_format(good, bad)), None)
