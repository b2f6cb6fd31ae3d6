"""From a script with cells marked by `# %%` to a Jupyter notebook."""

from __future__ import annotations

import hashlib
import re
from typing import Any

_MARK = re.compile(r"^# %%(?P<kind> \[markdown\])?\n", re.MULTILINE)


def notebook(script: str) -> dict[str, Any]:
    """A notebook of format 4.5, with nothing run yet.

    Args:
        script: cells that each begin with `# %%`, or `# %% [markdown]` and then comments.

    Source: nbformat's documentation, "The notebook file format"; Jupytext's percent format.
    """
    marks = list(_MARK.finditer(script))
    ends = [*(mark.start() for mark in marks[1:]), len(script)]
    cells = [
        _cell(place, script[mark.end() : end].strip(), text=mark["kind"] is not None)
        for place, (mark, end) in enumerate(zip(marks, ends, strict=True))
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(place: int, body: str, *, text: bool) -> dict[str, Any]:
    if text:
        body = re.sub(r"^# ?", "", body, flags=re.MULTILINE)
    name = hashlib.sha256(f"{place} {body}".encode()).hexdigest()[:8]
    cell = {"id": name, "metadata": {}, "source": body.splitlines(keepends=True)}
    if text:
        return {"cell_type": "markdown", **cell}
    return {"cell_type": "code", **cell, "execution_count": None, "outputs": []}
