"""The package in the night's folder: forms, card and digests of each stage, and one file of it all."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from blocks.disk import write_whole, writing
from nightschool.card import Contents, card
from nightschool.chunks import Chunk, Manifest
from nightschool.licences import warnings
from nightschool.package import adapter_config, base_name, goes_along, sums
from nightschool.recipe.package import Form
from nightschool.report.figures import Report
from nightschool.report.packed import Packed
from nightschool.training.merge_job import Merged
from tasks import package, stages
from tasks.night import Night

_SUMS = "SHA256SUMS"
_CARD = "README.md"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier; one date for all, so that the same files are the same zip


def pack(night: Night, report: Report) -> Report:
    """The report with its packages: each stage in `package/STAGE` of the night's folder, with a zip beside it if the
    recipe says so.

    Files are linked where the file system allows it, so that a merged model takes its room once.
    """
    made = {chunk.part: (chunk, manifest) for chunk, manifest in night.made(package.chunks(night))}
    with writing(night.dir):
        for old in (night.dir / "package").glob("*"):
            if old.is_dir() and old.name not in made:
                shutil.rmtree(old)
        packages = tuple(_stage(night, report, chunk, manifest) for chunk, manifest in made.values())
    return report.model_copy(update={"packages": packages})


def _stage(night: Night, report: Report, chunk: Chunk, manifest: Manifest) -> Packed:
    name, section = chunk.part, night.recipe.package
    assert section is not None
    forms: tuple[Form, ...] = tuple(manifest.figures["forms"])
    merged = manifest.figures.get("merged")
    found = Merged.model_validate(merged) if merged else None
    learned = {stage.name: _rows(night, stage.name) for stage in night.recipe.stages}
    text = card(night.recipe, report, Contents(name, forms, found, learned)).encode()
    folder = night.dir / "package" / name
    partial = folder.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_whole(partial / _CARD, text)
    digests = {_CARD: hashlib.sha256(text).hexdigest()}
    digests |= {path: digest for form in forms for path, digest in _form(night, chunk, manifest, form, partial)}
    write_whole(partial / _SUMS, sums(digests).encode())
    same = (folder / _SUMS).is_file() and (folder / _SUMS).read_bytes() == (partial / _SUMS).read_bytes()
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    archive = folder.with_name(f"{night.name}-{name}.zip")
    if section.zip and not (same and archive.is_file()):
        zipped(folder, archive)
    night.store.mirror(*(path for path in [*sorted(folder.rglob("*")), archive] if path.is_file()))
    return Packed(
        stage=name, folder=str(folder), zip=archive.name if section.zip else None, bytes=size, forms=forms,
        warnings=tuple(warnings(night.recipe)),
    )  # fmt: skip


def _form(night: Night, chunk: Chunk, manifest: Manifest, form: Form, into: Path) -> Iterator[tuple[str, str]]:
    """Lays a form's files into its own folder; each one's path in the package, and its digest."""
    source, origin = chunk, manifest
    if form == "adapter":
        [(source, origin)] = night.made([stages.training(night, chunk.part)])
    head = night.store.path(source, "out" if form == "adapter" else form).name + "/"
    (into / form).mkdir()
    for name, mark in origin.files.items():
        path = f"{form}/{name.removeprefix(head)}"
        if not name.startswith(head) or not goes_along(name):
            continue
        here = night.store.folder(source) / name
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        if path == "adapter/adapter_config.json":
            text = adapter_config(here.read_bytes(), _base(night, chunk.part))
            write_whole(into / path, text)
            yield path, hashlib.sha256(text).hexdigest()
        else:
            link(here, into / path)
            yield path, mark.sha256


def _base(night: Night, name: str) -> str:
    """What an adapter stands on, by a name that says something elsewhere."""
    learner = stages.learner(night)
    under = learner.stage(name).under
    return base_name(learner.student.model) if under == "base" else f"{night.name}-{under}"


def _rows(night: Night, name: str) -> int:
    """How many rows a stage was trained on."""
    made = night.made([stages.training(night, name)])
    return int(made[0][1].figures["training"]["rows"]) if made else 0


def link(here: Path, there: Path) -> None:
    """One file under two names, or a copy where the file system has no links."""
    try:
        os.link(here, there)
    except OSError:  # another file system, or one without links
        shutil.copyfile(here, there)


def zipped(folder: Path, archive: Path) -> None:
    """All files of the folder, as they are: weights don't shrink."""
    partial = archive.with_name(f".{archive.name}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(f"{archive.stem}/{path.relative_to(folder).as_posix()}", _EARLIEST)
            info.external_attr = 0o644 << 16
            with path.open("rb") as source, file.open(info, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)
    partial.rename(archive)
