"""A package in a night's folder: what is in it, that it is the same again, and that it takes its room once."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

from nightschool.recipe.load import load_recipe
from nightschool.report.figures import Night as Figures
from nightschool.report.figures import Report
from tasks.night import Night
from tasks.packing import pack
from tasks.steps import STEPS
from tests import file_night

ADAPTER = {
    "adapter_model.safetensors": b"weights",
    "adapter_config.json": b'{"base_model_name_or_path": "/home/me/models/unused", "r": 8}',
    "tokenizer.json": b"{}",
    "training.json": b"{}",
    "evil.py": b"import os",
}


def trained(folder: Path, *sets: str) -> Night:
    """A night whose one stage and package are on file, without having been trained."""
    recipe = file_night.write(folder)
    given = ["pairs=null", "dpo=null", "package={}", "student.model=/home/me/models/unused", *sets]
    night = Night.plan(load_recipe(recipe, sets=given))
    night.begin()
    [chunk] = STEPS["sft"].chunks(night)
    out = night.store.path(chunk, "out")
    out.mkdir(parents=True)
    for name, content in ADAPTER.items():
        (out / name).write_bytes(content)
    figures = {"training": {"rows": 17}}
    night.store.commit(chunk, rows=(), dropped=(), figures=figures, files=sorted(out.iterdir()))
    [chunk] = STEPS["package"].chunks(night)
    made = STEPS["package"].make(night, chunk, {})
    night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures, files=made.files)
    return night


def report(night: Night) -> Report:
    return Report(night=Figures.model_validate({"name": night.name, "recipe": "r", "started": "2026-01-01T00:00:00Z"}))


def test_what_is_in_a_package(tmp_path: Path) -> None:
    night = trained(tmp_path)
    [found] = pack(night, report(night)).packages
    folder = Path(found.folder)
    assert folder == night.dir / "package" / "sft"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    weights = "adapter/adapter_model.safetensors"
    assert files == {"README.md", "SHA256SUMS", weights, "adapter/adapter_config.json", "adapter/tokenizer.json"}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    assert config == {"base_model_name_or_path": "unused", "r": 8}
    assert "/home/me" not in (folder / "README.md").read_text()
    assert "| sft | base | 17 |" in (folder / "README.md").read_text()
    assert (folder / weights).stat().st_nlink == 2  # it lies in the store once
    with zipfile.ZipFile(folder.parent / str(found.zip)) as archive:
        assert {name.partition("/")[2] for name in archive.namelist()} == files
        assert archive.read(f"{night.name}-sft/{weights}") == b"weights"


def test_the_same_night_packs_the_same_again(tmp_path: Path) -> None:
    night = trained(tmp_path)
    [found] = pack(night, report(night)).packages
    archive = night.dir / "package" / str(found.zip)
    before, content = archive.stat().st_mtime_ns, archive.read_bytes()
    assert pack(night, report(night)).packages == (found,)
    assert archive.stat().st_mtime_ns == before
    archive.unlink()
    pack(night, report(night))
    assert archive.read_bytes() == content


def test_no_zip_unless_it_is_wanted(tmp_path: Path) -> None:
    night = trained(tmp_path, "package.zip=false")
    [found] = pack(night, report(night)).packages
    assert found.zip is None
    assert not list((night.dir / "package").glob("*.zip"))
