"""From a submission and the contest's sample file to where the two differ: columns, and whose answers are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nightschool.contest import Breach, FileRules

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """What a contest's sample file shows: its columns in order, and the ids that it wants answers to, in order."""

    columns: tuple[str, ...]
    ids: tuple[str, ...]


def sample_of(records: Sequence[Mapping[str, Any]], rules: FileRules) -> Sample:
    """The sample that these records are; ids as they are written, for 7 and "7" are the same in a CSV."""
    columns = tuple(records[0]) if records else ()
    key = rules.distinct
    return Sample(columns, tuple(str(record[key]) for record in records if key in record) if key else ())


def against(records: Sequence[Mapping[str, Any]], rules: FileRules, sample: Sample) -> list[Breach]:
    """What of the sample a whole file does not keep to: `other_columns`, `missing_id`, `other_order`.

    Ids that the sample does not have are a matter of single rows, see `unknown`.
    """
    mine = sample_of(records, rules)
    found: list[Breach] = []
    if mine.columns != sample.columns:
        found.append(Breach("other_columns", f"{', '.join(mine.columns)} instead of {', '.join(sample.columns)}"))
    given = set(mine.ids)
    if missing := [one for one in sample.ids if one not in given]:
        told = ", ".join(f"{one:.40}" for one in missing[:_MOST_TOLD])
        found.append(Breach("missing_id", f"{len(missing):,} of {len(sample.ids):,}: {told}"))
    wanted = set(sample.ids)
    if not missing and [one for one in dict.fromkeys(mine.ids) if one in wanted] != list(dict.fromkeys(sample.ids)):
        found.append(Breach("other_order", "the ids are those of the sample, in another order"))
    return found


def unknown(record: Mapping[str, Any], rules: FileRules, wanted: frozenset[str]) -> list[Breach]:
    """The breach of a row whose id the sample does not have.

    Args:
        wanted: the sample's ids.
    """
    value = record.get(rules.distinct) if rules.distinct else None
    if value is None or str(value) in wanted:
        return []
    return [Breach("unknown_id", f"{rules.distinct} {value!s:.80} is not in the sample")]
