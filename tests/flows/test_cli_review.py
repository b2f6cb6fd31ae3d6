"""`nightschool review` with files: out to a spreadsheet, and back in whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blocks.decisions import Decisions
from flows.cli.app import app
from flows.cli.review_sheet import export, take_in
from nightschool.errors import DataError, RecipeError, WorldError
from tasks import review
from tasks.night import Night
from tests.half_night import Make
from tests.tasks.conftest import fill, serving
from tests.tasks.test_review import OPEN, OPEN_TIES, leave_open


@pytest.fixture
def night(make: Make) -> Night:
    found = make(OPEN_TIES, "review=skip")
    with serving() as served:
        fill(found, served, "questions", "pool", "answers", "committee")
    leave_open(found, OPEN)
    return found


def command(night: Night, *words: str) -> str:
    done = CliRunner().invoke(app, ["review", night.name, "--store", str(night.store.root), *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def fill_in(file: Path, *decisions: str) -> None:
    lines = list(csv.DictReader(file.read_text("utf-8-sig").splitlines(keepends=True)))
    for line, decision in zip(lines, decisions, strict=True):
        line["decision"] = decision
    with file.open("w", encoding="utf-8", newline="") as out:
        sheet = csv.DictWriter(out, list(lines[0]))
        sheet.writeheader()
        sheet.writerows(lines)


def test_a_sheet_goes_out_and_comes_back(night: Night, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    told = export(night, file)
    assert f"{OPEN} rows in {file}" in told
    assert told.endswith(f"nightschool review {night.name} --store {night.store.place} --import {file}")
    waiting = review.undecided(night)
    fill_in(file, "reject", "no letter", "", "reject")
    with pytest.raises(DataError, match=r"(?s)line .*: decision: 'no letter' is not one of A, B, C, D"):
        take_in(night, file, "bob")
    assert Decisions(night.store).read() == []
    fill_in(file, "reject", "", "", "reject")
    assert take_in(night, file, "bob") == "2 decisions taken in, 2 rows wait."
    assert review.fresh(night) == 2
    assert [one.who for one in Decisions(night.store).read()] == ["bob", "bob"]
    assert [row.id for row in review.undecided(night)] == [row.id for row in waiting[1:3]]


def test_what_it_cannot_do_it_says(night: Night, make: Make, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"no terminal.*--export rows.csv"):
        command(night)
    with pytest.raises(DataError, match="cannot be read as CSV"):
        command(night, "--import", str(tmp_path / "none.csv"))
    other = make(name="without")
    other.begin()
    with pytest.raises(RecipeError, match="no section review"):
        command(other)
