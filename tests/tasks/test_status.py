"""Where a night stands, read from its store alone."""

from __future__ import annotations

import pytest

from blocks.journal import packed_lines
from blocks.store import ROWS
from nightschool.errors import RecipeError, WorldError
from tasks import answers
from tasks.status import ChunkStatus, NightStatus, status
from tasks.tries import Try, tries
from tests.half_night import Make
from tests.tasks.conftest import fill, serving


def chunks(found: NightStatus, phase: str) -> list[ChunkStatus]:
    return next(one.chunks for one in found.phases if one.phase == phase)


def test_what_was_made_what_was_cut_off_and_what_is_missing(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served)
    first, second, *_ = answers.chunks(night)
    night.store.forget(first)
    journal = night.store.journal(second)
    night.store.reopen(second)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]) + b'["torn')
    found = chunks(status(night), "answers")
    assert [one.state for one in found[:3]] == ["begun", "begun", "made"]
    assert (found[1].rows, found[1].total) == (3, second.rows)
    assert found[2].rows == found[2].total
    assert found[2].tries == 1
    assert {one.state for one in chunks(status(night, "committee"), "committee")} == {"missing"}
    assert found[1].rate is None


def test_a_failure_is_told_with_its_error_until_the_chunk_is_made(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions", "pool")
        chunk = answers.chunks(night)[0]
        for _ in range(2):
            with pytest.raises(WorldError), Try(night, chunk):
                raise WorldError("the server is gone")
        failed = chunks(status(night), "answers")[0]
        assert (failed.state, failed.tries, failed.error) == ("failed", 2, "the server is gone")
        fill(night, served)
    made = chunks(status(night), "answers")[0]
    assert (made.state, made.tries, made.error) == ("made", 3, None)


def test_a_night_that_runs_has_a_rate_and_an_estimate(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    night = make()
    clock = [0.0]
    with night.alone():
        with serving() as served:
            fill(night, served)
        clock[0] = (night.dir / "night.json").stat().st_mtime + 10
        monkeypatch.setattr("time.time", lambda: clock[0])
        first, second, *rest = answers.chunks(night)
        lines = list(packed_lines(night.store.journal(first)))
        for one in (first, second, *rest):
            night.store.forget(one)
        (night.dir / "tries.jsonl").unlink()
        night.store.journal(first).write_bytes(b"".join(lines[:2]))
        with Try(night, first):
            clock[0] += 2
            night.store.journal(first).write_bytes(b"".join(lines[:6]))
            found = status(night, "answers")
            [phase] = found.phases
            assert found.running
            assert phase.chunks[0].state == "running"
            assert phase.chunks[0].rate == pytest.approx(2, rel=0.2), "four rows in two seconds; two were there before"
            assert phase.rate == phase.chunks[0].rate
            left = sum(one.total for one in phase.chunks) - 6
            assert phase.eta_s == pytest.approx(left / 2, rel=0.2)
    assert not status(night).running


def test_looking_writes_nothing_and_hashes_nothing(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served)
    path = night.store.path(answers.chunks(night)[0], ROWS)
    before = {each: each.stat().st_mtime_ns for each in night.store.root.rglob("*")}
    path.write_bytes(path.read_bytes()[::-1])
    assert chunks(status(night), "answers")[0].state == "made", "a look trusts sizes; a run would make it anew"
    assert {each for each in night.store.root.rglob("*")} == before.keys()


def test_notes_survive_a_torn_line(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions")
    with (night.dir / "tries.jsonl").open("ab") as file:
        file.write(b'{"phase":"questions","key')
    assert sum(map(len, tries(night).values())) == 2 * 4


def test_an_unknown_phase_is_named(make: Make) -> None:
    night = make()
    night.begin()
    with pytest.raises(RecipeError, match="no such phase"):
        status(night, "answer")
