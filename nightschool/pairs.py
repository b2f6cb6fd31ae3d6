"""From the student's own samples to preference pairs: right against wrong, same prompt, same format."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.records import Dropped, Letter, PreferenceRow
from nightschool.seeds import rng_of
from nightschool.wire import Message

RULES_VERSION = 1


def build(
    row_id: str,
    *,
    topic: str,
    prompt: Sequence[Message],
    samples: Sequence[tuple[str, Letter | None]],
    letter: str,
    accepted: str,
    chosen: str,
    per_question: int,
    seed: int,
) -> list[PreferenceRow] | Dropped:
    """At most `per_question` pairs of distinct texts for one question.

    Args:
        samples: the student's replies, each with the letter it gave; None = could not be read, and is left out.
        letter: the accepted answer, by solver or committee, never the question writer's own key alone.
        accepted: the taught completion, the chosen side when `chosen` is "teacher".
        chosen: "student" prefers the student's own right replies (on policy), "teacher" the taught one.

    Returns:
        The pairs, or why there are none: `all_right` (nothing to reject), `all_wrong` (nothing to choose),
        `unreadable`.

    Source: plan 000, 4.1; plan 002's pairs differed in format, which a model learns instead of the answer.
    """
    read = [(text, given) for text, given in samples if given is not None]
    right = [accepted] if chosen == "teacher" else sorted({text for text, given in read if given == letter})
    wrong = sorted({text for text, given in read if given != letter})
    if not right or not wrong:
        reason = "unreadable" if not read else "all_right" if not wrong else "all_wrong"
        return Dropped(id=row_id, topic=topic, reason=reason)
    rng = rng_of("pairs", seed, row_id)
    rng.shuffle(right)
    rng.shuffle(wrong)
    places = range(min(per_question, len(wrong)))
    return [_pair(f"{row_id}-{place}", prompt, right[place % len(right)], wrong[place]) for place in places]


def _pair(row_id: str, prompt: Sequence[Message], chosen: str, rejected: str) -> PreferenceRow:
    sides = ((Message(role="assistant", content=text),) for text in (chosen, rejected))
    return PreferenceRow(id=row_id, prompt=tuple(prompt), chosen=next(sides), rejected=next(sides))
