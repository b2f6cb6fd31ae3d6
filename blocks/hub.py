"""Data sets from the hub, as files of this machine: the datasets library brings them, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from nightschool.errors import WorldError
from nightschool.recipe.data_file import Hub
from nightschool.recipe.section import Clash

# The exit code of the process that says: name a config or a split.
_CHOOSE = 2


def bring(hub: Hub) -> tuple[Path, ...]:
    """The files of a data set in the library's cache; brought there if they are not yet.

    Raises:
        Clash: it has several configs or splits and none is named, or another one.
        WorldError: the library is not installed, or the data set can't be had: offline, no such name, no access.
    """
    if find_spec("datasets") is None:
        raise WorldError(f"{hub.hub}: the datasets library brings data from the hub; install nightschool[train]")
    given = [hub.hub, hub.config or "", hub.split or "", hub.revision or ""]
    command = [sys.executable, "-m", "blocks.hub_process", *given]
    environment = {**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == _CHOOSE:
        field, there = json.loads(done.stdout.splitlines()[-1])
        said = f"no {field} {getattr(hub, field)}" if getattr(hub, field) else f"several {field}s"
        raise Clash(f"{hub.hub} has {said}: name one in pool.file.{field}", field, allowed=", ".join(there))
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["its process ended without a word"])[-1]
        raise WorldError(f"{hub.hub} could not be brought from the hub: {why}. Without a network, pool.file names a "
                         "file, or a folder that datasets saved")  # fmt: skip
    return tuple(Path(name) for name in json.loads(done.stdout.splitlines()[-1]))
