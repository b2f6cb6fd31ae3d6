"""The review: one chunk, the rows that people decided of those that the committee left to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from blocks.decisions import Decisions
from blocks.disk import write_whole, writing
from blocks.store import DROPPED, Store
from nightschool import review
from nightschool.chunks import Chunk, combined
from nightschool.errors import DataError
from nightschool.records import Ruling
from nightschool.report.proof import People
from nightschool.review import Decision
from tasks import committee
from tasks.night import Night
from tasks.step import Made, Served, Step

_DECISIONS = TypeAdapter(tuple[Decision, ...])


def chunks(night: Night) -> list[Chunk]:
    """Made from the rows that wait and from the decisions that the night goes by; nothing else makes it anew."""
    if night.recipe.review is None:
        return []
    rows = _waiting(night)
    parts = {"rows": combined([digest for _, digest in rows]), "decisions": _digest(_taken(night))}
    chunk = night.chunk("review", 0, 0, "review by people", rows=sum(len(rulings) for rulings, _ in rows))
    return [replace(chunk, inputs=(*chunk.inputs, *parts.items()))]


def out(night: Night) -> list[Chunk]:
    """Where the rows lie that the next phase goes on with: what the committee accepted, and what people did."""
    return [*committee.out(night), *chunks(night)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    taken = review.in_force(_taken(night))
    rulings = [review.ruled(ruling, taken) for ruling in queue(night)]
    return Made(
        rows=[ruling for ruling in rulings if ruling.verdict == "accept"],
        dropped=[(ruling.reason or review.WAITS, ruling) for ruling in rulings if ruling.verdict != "accept"],
    )


def queue(night: Night) -> list[Ruling]:
    """Every row that the committee left to people, decided or not, in the order in which they are asked."""
    return review.in_order(ruling for rulings, _ in _waiting(night) for ruling in rulings)


def decided(night: Night) -> dict[str, Decision]:
    """What people have decided by now, by content; the night may not know of it yet."""
    return review.in_force(Decisions(night.store).read())


def undecided(night: Night) -> list[Ruling]:
    """The rows that still wait for a person."""
    known = decided(night)
    return [ruling for ruling in queue(night) if review.content_of(ruling.question) not in known]


def fresh(night: Night) -> int:
    """How many rows have been decided, or decided otherwise, since the night last took decisions in."""
    taken = {decision.content: decision for decision in _taken(night)}
    found = _concerning(decided(night), queue(night))
    return sum(taken.get(content) != found.get(content) for content in taken.keys() | found.keys())


def people(night: Night) -> People | None:
    """What people did of this night's rows, as far as the night has taken it in; None if it left nothing to them."""
    rows = queue(night) if night.recipe.review else []
    taken = _concerning(review.in_force(_taken(night)), rows).values()
    waiting = len({review.content_of(row.question) for row in rows}) - len(taken)
    actions, by = Counter(one.action for one in taken), Counter(one.who for one in taken)
    return People(waiting=waiting, actions=dict(actions), by=dict(by)) if rows else None


def take(night: Night) -> None:
    """From here on the night goes by what people have decided by now, and by that alone: a decision that is made
    while it trains waits for its next run."""
    found = _concerning(decided(night), queue(night))
    with writing(night.dir):
        write_whole(_file(night), _DECISIONS.dump_json(tuple(found.values())))
    night.store.mirror(_file(night))


def let_go(night: Night) -> None:
    """Tells the night, should it be waiting, to go on without what is not decided."""
    with writing(night.dir):
        write_whole(_go_on(night), b"")


def was_let_go(night: Night) -> bool:
    """Whether somebody said so since this was last asked."""
    said = _go_on(night).exists()
    _go_on(night).unlink(missing_ok=True)
    return said


def _go_on(night: Night) -> Path:
    return night.dir / "go-on"


def _concerning(decisions: Mapping[str, Decision], rulings: Iterable[Ruling]) -> dict[str, Decision]:
    contents = dict.fromkeys(review.content_of(ruling.question) for ruling in rulings)
    return {content: decisions[content] for content in contents if content in decisions}


def _waiting(night: Night) -> list[tuple[tuple[Ruling, ...], str]]:
    """The waiting rows of every chunk of the committee, and their digest."""
    found = []
    for chunk, manifest in night.made(committee.out(night)):
        if manifest.dropped:
            content = manifest.files[night.store.path(chunk, DROPPED).name].content
            found.append(_left_open(night.store, chunk, content))
    return found


# Steps ask for their chunks many times in a night, and a committee may have dropped many rows.
@lru_cache(maxsize=1024)
def _left_open(store: Store, chunk: Chunk, content: str) -> tuple[tuple[Ruling, ...], str]:
    rows = tuple(row for row in store.dropped(chunk, Ruling) if row.verdict == "review")
    return rows, _digest(rows)


def _file(night: Night) -> Path:
    return night.dir / "decisions.json"


def _taken(night: Night) -> tuple[Decision, ...]:
    try:
        return _parsed(_file(night).read_bytes())
    except FileNotFoundError:
        return ()
    except ValidationError as err:
        raise DataError(f"not decisions: {err.errors()[0]['msg']}", file=_file(night)) from None


@lru_cache(maxsize=8)
def _parsed(raw: bytes) -> tuple[Decision, ...]:
    return _DECISIONS.validate_json(raw)


def _digest(rows: Iterable[BaseModel]) -> str:
    return combined([sha256(row.model_dump_json().encode()).hexdigest() for row in rows])


STEP = Step("review", chunks, make, here=True)
