"""From a question to its side: train, validation or test, by a hash of its normalised text and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from nightschool.errors import DataError
from nightschool.mended import Side
from nightschool.normal import normal
from nightschool.records import Ruling

RULES_VERSION = 1


def side_of(question: str, *, validation: float, test: float, salt: str = "") -> Side:
    """The side of a question, whatever night it is in and whatever rows are beside it.

    Every stratum is cut at the same places of the same uniform hash, so each has the shares that are asked for up to
    chance: of n rows a test share within 2 * sqrt(test * (1 - test) / n), 19 times of 20. Drawing exact shares would
    move questions across when rows are added. Test lies at the low end: a larger test set takes in the smaller one.

    Source: plan 003, 80/10/10, whose random split put 2,242 questions on two sides.
    """
    digest = hashlib.sha256(f"{salt}\x1f{normal(question)}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < test:
        return "test"
    return "validation" if place < test + validation else "train"


def hold(rows: Iterable[Ruling], *, validation: float, test: float, salt: str = "") -> None:
    """Holds rows against their questions after augmentation.

    Raises:
        DataError: a row, or a copy of one, lies on another side than its question.
    """
    for row in rows:
        side = side_of(row.question.question, validation=validation, test=test, salt=salt)
        leaked = row.mended.source is not None and row.side != "train"
        if row.side != side or leaked:
            raise DataError(f"row {row.id} lies in {row.side} and its question in {side}: a leak, nothing is trained")
