"""The export command: what it writes and says, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from flows.cli.app import app
from nightschool.errors import RecipeError, WorldError
from tests import file_night


def test_export_says_what_it_wrote_and_refuses_what_it_can_not(tmp_path: Path) -> None:
    night = file_night.ruled(file_night.write(tmp_path))
    asked = ["export", "choosing", "--store", str(night.store.root), "--format"]
    told = CliRunner().invoke(app, [*asked, "csv", "--to", str(tmp_path / "out")])
    assert told.exit_code == 0
    assert f"rows  train.csv\n\ncsv of committee: {tmp_path / 'out'}" in told.stdout
    found = json.loads(CliRunner().invoke(app, [*asked, "verl", "--json"]).stdout)
    assert found["folder"] == str(night.dir / "exports" / "committee-verl")
    assert (Path(found["folder"]) / "train.parquet").is_file()
    assert isinstance(CliRunner().invoke(app, [*asked, "verl"]).exception, RecipeError)
    assert isinstance(CliRunner().invoke(app, [*asked, "trl", "--phase", "pairs"]).exception, WorldError)
    assert CliRunner().invoke(app, [*asked, "parquet"]).exit_code == 2
