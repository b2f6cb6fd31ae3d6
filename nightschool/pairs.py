"""From the student's own samples to preference pairs: right against wrong, same prompt, same format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from nightschool.records import Dropped, PreferenceRow
from nightschool.seeds import rng_of
from nightschool.shortcuts import same_format
from nightschool.wire import Message

RULES_VERSION = 2

Format = Literal["same", "any"]
# What a reply said, and whether that is right; None = it could not be read or judged.
Sample = tuple[str, bool | None]


def build(
    row_id: str,
    *,
    topic: str,
    prompt: Sequence[Message],
    samples: Sequence[Sample],
    accepted: str,
    chosen: str,
    per_question: int,
    seed: int,
    format_: Format = "same",
    disagreement: float = 0.0,
) -> list[PreferenceRow] | Dropped:
    """At most `per_question` pairs of distinct texts for one question.

    Args:
        samples: the student's replies, judged by solver, truth or committee, never by the question writer's own key
            alone; one that could not be judged is left out.
        accepted: the taught completion, the chosen side when `chosen` is "teacher".
        chosen: "student" prefers the student's own right replies (on policy), "teacher" the taught one to its drafts.
        format_: "same" pairs only replies that mark their answers in the same way.
        disagreement: of the pair, see `PreferenceRow`.

    Returns:
        The pairs, or why there are none: `all_right` (nothing to reject), `all_wrong` (nothing to choose),
        `unreadable`, `other_format`.

    Source: plan 000, 4.1; plan 002's pairs differed in format, which a model learns instead of the answer.
    """
    read = [(text, right) for text, right in samples if right is not None]
    right = [accepted] if chosen == "teacher" else sorted({text for text, fine in read if fine})
    wrong = sorted({text for text, fine in read if not fine} - set(right))
    if not right or not wrong:
        reason = "unreadable" if not read else "all_right" if not wrong else "all_wrong"
        return Dropped(id=row_id, topic=topic, reason=reason)
    rng = rng_of("pairs", seed, row_id)
    rng.shuffle(right)
    rng.shuffle(wrong)
    found = [pair for pair in (_matched(bad, right, place, format_) for place, bad in enumerate(wrong)) if pair]
    if not found:
        return Dropped(id=row_id, topic=topic, reason="other_format")
    return [
        PreferenceRow(
            id=f"{row_id}-{place}",
            question=row_id,
            disagreement=disagreement,
            prompt=tuple(prompt),
            chosen=(Message(role="assistant", content=good),),
            rejected=(Message(role="assistant", content=bad),),
        )
        for place, (good, bad) in enumerate(found[:per_question])
    ]


def dissent(votes: Iterable[bool | None]) -> float:
    """Share of the votes that were cast against an answer; 0 where nobody voted. None = an abstention."""
    cast = [vote for vote in votes if vote is not None]
    return sum(not vote for vote in cast) / len(cast) if cast else 0.0


def _matched(bad: str, right: Sequence[str], place: int, format_: Format) -> tuple[str, str] | None:
    """A wrong reply beside a right one: each in turn, or the next that is laid out like it."""
    turns = (right[(place + step) % len(right)] for step in range(len(right)))
    return next(((good, bad) for good in turns if format_ == "any" or same_format(good, bad)), None)
