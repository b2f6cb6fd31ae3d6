"""The status grid: a cell for every chunk, figures of every phase, what failed with the command that mends it."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from flows.cli import grid
from tasks.status import ChunkStatus, NightStatus, PhaseStatus

MADE = ChunkStatus(0, "answers chunk 1/3 by alba", "made", 150, 3, total=153, seconds=12.0, rate=12.5, tries=1)
FAILED = ChunkStatus(
    1, "answers chunk 2/3 by alba", "failed", 20, total=153, tries=3, error="connection [reset]\nby peer"
)
MISSING = ChunkStatus(2, "answers chunk 3/3 by alba", "missing", 0, total=153)


def night(*chunks: ChunkStatus, running: bool = False) -> NightStatus:
    phase = PhaseStatus("answers", list(chunks), 12.0, 12.5, 80.0 if running else None)
    return NightStatus("friday", running, [phase, PhaseStatus("sft", [])])


def shown(found: NightStatus) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(grid.view(found))
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_every_chunk_has_a_cell_and_every_failure_its_command() -> None:
    text = shown(night(MADE, FAILED, MISSING))
    assert "■✗·" in text
    assert "1, answers chunk 2/3 by alba: failed, 20/153 rows, try 3, connection [reset] by peer" in text
    assert "nightschool rerun friday --phase answers --chunk 1" in text
    assert "✗ 1 failed  · 1 missing  ■ 1 made" in text


def test_figures_of_a_phase_that_runs() -> None:
    line = next(each for each in shown(night(MADE, MISSING, running=True)).splitlines() if " answers" in each)
    assert line.split() == [
        "·", "answers", "1/2", "150/306", "3", "-", "12.5", "12.0", "s", "about", "1", "min", "20", "s",
    ]  # fmt: skip


def test_a_thousand_chunks_fit_a_screen_and_ten_thousand_as_well() -> None:
    many = [replace(MADE, index=index) for index in range(10_000)]
    lines = shown(night(*many[:1000])).splitlines()
    assert sum(line.count("■") for line in lines if line.strip() and line.split()[0].isdigit()) == 1000
    assert len(lines) < 30
    many[4321] = replace(FAILED, index=4321)
    lines = shown(night(*many)).splitlines()
    assert len(lines) < 30
    assert sum(line.count("✗") for line in lines if line.strip() and line.split()[0].isdigit()) == 1


def test_a_phase_with_gaps_says_so_and_how_to_mend_it() -> None:
    text = shown(night(MADE, replace(MADE, index=1, state="gaps", dropped=5, failed=2)))
    assert "■◪" in text
    assert "answers: 2 rows have no reply" in text
    assert "nightschool rerun friday --failed --phase answers" in text
    assert "1 gaps  ■ 1 made" in text


def test_one_phase_has_a_line_for_every_chunk() -> None:
    found = night(MADE, FAILED)
    text = shown(replace(found, phases=found.phases[:1]))
    assert "connection [reset] by peer" in text
    assert "20/153" in text
    assert len(text.splitlines()) == 5


def test_following_ends_with_the_night(monkeypatch) -> None:
    monkeypatch.setattr(grid, "_EVERY_S", 0.0)
    monkeypatch.setattr(grid, "out", Console(file=io.StringIO(), force_terminal=True, width=140))
    looks = [night(MISSING, running=True), night(FAILED, running=True), night(MADE)]
    grid.follow(lambda: looks.pop(0))
    assert looks == []
    assert "it does not run now" in grid.out.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
