"""Models that are given away: laid into a folder each once, with the base of an adapter by its name or beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from nightschool.package import adapter_config, goes_along
from nightschool.recipe.stages import BASE, Stage
from tasks import package, stages
from tasks.night import Night
from tasks.packing import link
from tasks.stages import Weights


class HandedIn(BaseModel):
    """`models` by what they do, `files` with their SHA-256; the folder, the zip beside it, and bytes of the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    night: str
    format: str
    models: dict[str, str]
    files: dict[str, str]
    folder: str = ""
    zip: str | None = None
    bytes: int = 0


class Laid(NamedTuple):
    """What is loaded: a hub id, or a folder seen from where it was laid, and the adapter's folder, if there is one."""

    base: str
    adapter: str | None


@dataclass
class Given:
    """Lays models into a folder, each once whoever needs it.

    Args:
        place: of the models in that folder.
    """

    night: Night
    folder: Path
    place: str
    laid: dict[str, str] = field(default_factory=dict)

    def student(self, name: str) -> Laid:
        """The base or a stage: as the night packed it where that is a merged model, else as it was trained."""
        if name == BASE:
            return Laid(self.model(self._weights(None).model, BASE), None)
        stage = stages.learner(self.night).stage(name)
        found = self._weights(stage)
        if found.adapter is None:
            return Laid(self.model(found.model, name), None)
        base = self.model(found.model, stage.under)
        return Laid(base, self.lay(found.adapter, name, base))

    def model(self, model: str, name: str) -> str:
        """A hub id as it is; a folder goes along, under this name."""
        return self.lay(Path(model), name) if Path(model).is_dir() else model

    def _weights(self, stage: Stage | None) -> Weights:
        if stage is None:
            return stages.weights(self.night, BASE)
        for chunk, manifest in self.night.made(package.chunks(self.night)):
            forms = manifest.figures["forms"]
            if chunk.part == stage.name and "merged" in forms and "adapter" not in forms:
                return Weights(str(self.night.store.path(chunk, "merged")))
        return stages.weights(self.night, stage.name)

    def lay(self, source: Path, name: str, base: str = "") -> str:
        """The files of a folder that are given away."""
        if str(source) not in self.laid:
            into = self.folder / self.place / name
            into.mkdir(parents=True)
            for path in sorted(each for each in source.rglob("*") if each.is_file() and goes_along(each.name)):
                here = into / path.relative_to(source)
                here.parent.mkdir(parents=True, exist_ok=True)
                if path.name == "adapter_config.json":
                    here.write_bytes(adapter_config(path.read_bytes(), base))
                else:
                    link(path, here)
            self.laid[str(source)] = f"{self.place}/{name}"
        return self.laid[str(source)]
