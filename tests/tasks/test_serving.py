"""Who is served with whom, and when: batches of chunks by the wave of servers that answers them."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.servers import ServerSpec
from nightschool.chunks import Chunk
from tasks.ledger import Ledger, last_run
from tasks.serving import Desk
from tests.half_night import Make


def spec_with(name: str) -> ServerSpec:
    return ServerSpec(name=name, engine="scripted", model=name)


def chunks(*parts: str) -> list[Chunk]:
    return [Chunk("answers", "k", place, place, f"{part} {place}", part=part) for place, part in enumerate(parts)]


@pytest.fixture
def desk(make: Make) -> Desk:
    night = make()
    night.begin()
    return Desk(night, Ledger(night.dir), [[spec_with("alba"), spec_with("bruno")], [spec_with("clara")]])


def parts(batches: list[list[Chunk]]) -> list[str]:
    return [" ".join(chunk.part for chunk in batch) for batch in batches]


def test_chunks_go_by_wave_and_the_one_that_is_up_comes_first(desk: Desk) -> None:
    asked = chunks("alba", "clara", "bruno", "clara")
    with desk:
        assert parts(desk.batches(asked)) == ["alba bruno", "clara clara"]
        assert parts(desk.batches(chunks("clara"))) == ["clara"]
        first = desk.served(desk.batches(asked)[0])
        assert sorted(first) == ["alba", "bruno"]
        assert sorted(desk.served(desk.batches(asked)[1])) == ["clara"]
        assert parts(desk.batches(asked)) == ["clara clara", "alba bruno"]
        assert desk.names(chunks("alba")) == "alba, bruno"


def test_memory_of_every_wave_is_on_file(desk: Desk) -> None:
    with desk:
        desk.served(chunks("alba"))
        desk.served(chunks("clara"))
    desk._ledger.save()
    assert {"before", "serving", "after"} <= set(last_run(Path(desk._night.dir)).memory)


def test_all_at_once_is_one_batch(make: Make) -> None:
    night = make()
    night.begin()
    desk = Desk(night, Ledger(night.dir), [[spec_with("alba"), spec_with("bruno")]])
    assert parts(desk.batches(chunks("bruno", "alba", "pool"))) == ["bruno alba pool"]
