"""What each step of a night did to the shares of classes, from rulings and manifests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nightschool.chunks import Chunk
from nightschool.classes import NONE, value_of
from nightschool.records import Ruling
from nightschool.report.shares import Shares, Step, measure_shares
from tasks import balance, committee, filters, review, splits
from tasks.night import Night

Counts = Mapping[str, float]


def shares(night: Night) -> tuple[Shares, ...]:
    """One for each field that is followed; none before the committee sat."""
    if not night.made(committee.chunks(night)):
        return ()
    ruled = _ruled(night)
    found = (
        measure_shares(
            field,
            [*ruled[field], *_filtered(night, field), *_balanced(night, field)],
            wanted=_wanted(night, field, ruled[field][0].before),
            most_skew=night.recipe.most_skew,
        )
        for field in night.recipe.watched
    )
    return tuple(one for one in found if one)


def _ruled(night: Night) -> dict[str, list[Step]]:
    """From what was asked to what committee and people accepted; rows whose class nobody knows are left out."""
    sat = committee.chunks(night)
    fields = night.recipe.watched
    accepted = _counted(night.each(sat, Ruling), fields)
    refused = _counted(night.each(sat, Ruling, dropped=True), fields)
    steps: dict[str, list[Step]] = {}
    for field in fields:
        asked = accepted[field] + refused[field]
        steps[field] = [Step("committee", asked, accepted[field])]
    if reviewed := night.made(review.chunks(night)):
        people = _counted(night.each([chunk for chunk, _ in reviewed], Ruling), fields)
        for field in fields:
            steps[field].append(Step("people", accepted[field], accepted[field] + people[field]))
    return steps


def _counted(rulings: Iterable[Ruling], fields: Sequence[str]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {field: Counter() for field in fields}
    for ruling in rulings:
        for field, found in counts.items():
            if (value := value_of(ruling, field)) != NONE:
                found[value] += 1
    return counts


def _filtered(night: Night, field: str) -> Iterator[Step]:
    made = [manifest.figures["filters"] for _, manifest in night.made(filters.chunks(night))]
    for one in zip(*made, strict=True):
        tables = [figures["shares"].get(field, {}) for figures in one]
        yield Step(one[0]["name"], _summed(tables, 0), _summed(tables, 1))
    yield from _sides(night, splits.chunks(night), field)


def _sides(night: Night, chunks: Sequence[Chunk], field: str) -> Iterator[Step]:
    if made := night.made(chunks):
        before: Counter[str] = Counter()
        after: Counter[str] = Counter()
        for _, manifest in made:
            for value, sides in manifest.figures["strata"].get(field, {}).items():
                before[value] += sum(sides.values())
                after[value] += sides.get("train", 0)
        yield Step("train side", before, after)


def _balanced(night: Night, field: str) -> Iterator[Step]:
    if made := night.made(balance.chunks(night)):
        tables = [manifest.figures["shares"].get(field, {}) for _, manifest in made]
        yield Step("balance", _summed(tables, 0), _summed(tables, 1))


def _summed(tables: Sequence[Mapping[str, Sequence[float]]], place: int) -> Counts:
    total: dict[str, float] = {}
    for table in tables:
        for value, counts in table.items():
            if value != NONE:
                total[value] = total.get(value, 0.0) + counts[place]
    return total


def _wanted(night: Night, field: str, asked: Counts) -> Counts | None:
    """Shares that the balance is to give; None where it leaves the field as it was."""
    section = night.recipe.balance
    if section is None or section.method == "none" or field not in section.by:
        return None
    return section.target or {value: 1 / len(asked) for value in asked}
