"""What of a night's package goes to the hub, looked at again before it leaves."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from blocks.hub_upload import token, upload
from nightschool.errors import DataError, RecipeError, Refused, WorldError
from nightschool.licences import forbidding
from tasks.night import Night

_TARGET = re.compile(r"hub:([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)")


@dataclass(frozen=True, slots=True)
class Push:
    """One form of a stage with its card: files by their name in the repository."""

    night: str
    stage: str
    form: str
    repo: str
    files: dict[str, Path]
    forbidden: tuple[str, ...]

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    def send(self, *, private: bool) -> str:
        """Pushes it; the commit's address.

        Raises:
            Refused: a teacher's licence forbids that others get it.
            RecipeError: there is no token.
            WorldError: the hub refuses, or can't be reached.
        """
        if self.forbidden and not private:
            raise Refused("\n".join([*self.forbidden, "Push it with --private, or leave that teacher out."]))
        message = f"{self.form} of night {self.night}, stage {self.stage}"
        return upload(self.repo, self.files, private=private, secret=token(), message=message)


def prepare(night: Night, to: str, stage: str | None, form: str | None) -> Push:
    """What would be sent; every file is held against SHA256SUMS.

    Raises:
        RecipeError: no such target, stage or form.
        WorldError: the night has packed nothing.
        DataError: a file is not as it was packed.
    """
    target = _TARGET.fullmatch(to)
    if not target:
        raise RecipeError("no place to push to", field="--to", value=to, allowed="hub:OWNER/NAME")
    home = night.dir / "package"
    packed = [path.parent for path in sorted(home.glob("*/SHA256SUMS"))]
    if not packed:
        raise WorldError(f"night {night.name} has packed nothing: add a package section, and run it again")
    names = [path.name for path in packed]
    wanted = stage or (names[0] if len(names) == 1 else None)
    if wanted not in names:
        raise RecipeError("which stage is meant?", field="--stage", value=stage, allowed=", ".join(names))
    folder = home / wanted
    forms = [path.name for path in sorted(folder.iterdir()) if path.is_dir()]
    chosen = form or (forms[0] if len(forms) == 1 else None)
    if chosen not in forms:
        raise RecipeError("which form is meant?", field="--form", value=form, allowed=", ".join(forms))
    files = {name.removeprefix(f"{chosen}/"): path for name, path in _checked(folder).items()
             if name.startswith(f"{chosen}/") or "/" not in name}  # fmt: skip
    return Push(night.name, wanted, chosen, target[1], files, tuple(forbidding(night.recipe)))


def _checked(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise DataError("is not as it was packed: run the night again, it packs anew", file=path)
        found[name] = path
    return found
