"""A row's life: found by id, beginning or text; every phase's part of it; what is not there yet says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.answer_values import SAMPLES
from benchmarks.real_data import missing, rows
from flows.cli.show import view
from nightschool.errors import RecipeError
from nightschool.records import CritiqueRow, Question
from tasks import critique, pool
from tasks.life import life
from tests.tasks.test_critique import critiqued


@pytest.mark.skipif(bool(missing(SAMPLES)), reason=missing(SAMPLES) or "")
def test_a_row_is_followed_from_its_question_to_its_critiques(tmp_path: Path) -> None:
    records = [{**row, "question": f"{row['question']} \x1b[31m\u202e"} for row in rows(SAMPLES)][:60]
    night = critiqued(tmp_path, "equal", records)
    row = night.rows(critique.chunks(night), CritiqueRow)[0]
    row_id = row.extra_info.question_id
    found = life(night, row_id)
    assert found == life(night, row_id[:8]) == life(night, row.question[3:-8].upper())
    states = {station.phase: station.state for station in found.stations}
    assert states == {"pool": "kept", "answers": "kept", "merge": "kept", "committee": states["committee"],
                      "critique": "kept"}  # fmt: skip
    assert [one["teacher"] for one in found.stations[1].kept] == ["ann", "ben"]
    assert row.id in [one["id"] for one in found.stations[-1].kept]

    screen = Console(width=80, record=True, force_terminal=True, file=(tmp_path / "screen").open("w"))
    screen.print(view(found))
    told = screen.export_text()
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert f"{row.extra_info.teacher} " in told

    night.store.forget(critique.chunks(night)[0])
    assert life(night, row_id).stations[-1].state == "not yet"


@pytest.mark.skipif(bool(missing(SAMPLES)), reason=missing(SAMPLES) or "")
def test_a_name_that_fits_none_or_several_lists_what_is_near(tmp_path: Path) -> None:
    night = critiqued(tmp_path, "equal", list(rows(SAMPLES))[:20])
    first, *_ = night.rows(pool.chunks(night), Question)
    for name in ("zzz " + first.question[:30], "", "e"):
        with pytest.raises(RecipeError) as caught:
            life(night, name)
        assert "several" in str(caught.value) or "no row" in str(caught.value)
    with pytest.raises(RecipeError, match=first.id):
        life(night, f"zzz {first.question}")
