"""From accepted rows to equal shares: every class is cut down to the rarest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from nightschool.records import Ruling
from nightschool.seeds import seed_of

RULES_VERSION = 1


def downsample(
    rulings: Sequence[Ruling], *, by: Sequence[str], seed: int, max_rows: int | None = None
) -> tuple[list[Ruling], list[Ruling]]:
    """(kept, dropped): as many rows of each class as the rarest class has, drawn by seed and row id.

    The draw depends on the row alone, so rows added elsewhere don't reshuffle it. Classes are the combinations that
    occur of the fields in `by` (topic, letter). `max_rows` cuts all classes alike, never below one row a class.

    Source: plan 002: a filter turned 45:55 into 28:72 and the student learned to say No.
    """
    classes: dict[tuple[str, ...], list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        classes[tuple(_value(ruling, field) for field in by)].append(ruling)
    if not classes:
        return [], []
    least = min(len(rows) for rows in classes.values())
    if max_rows is not None:
        least = max(1, min(least, max_rows // len(classes)))
    kept_ids = {
        ruling.id
        for rows in classes.values()
        for ruling in sorted(rows, key=lambda row: seed_of("balance", seed, row.id))[:least]
    }
    kept = [ruling for ruling in rulings if ruling.id in kept_ids]
    return kept, [ruling for ruling in rulings if ruling.id not in kept_ids]


def _value(ruling: Ruling, field: str) -> str:
    return ruling.question.topic if field == "topic" else str(ruling.answer)
