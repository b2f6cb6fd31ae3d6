"""A dry run: every phase of a recipe on scripted servers and random weights, in a store of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from blocks.turns import OFF, VARIABLE
from flows.cli.by_itself import Ready
from flows.cli.output import out, say, write_json
from flows.cli.running import run_night
from nightschool.recipe.load import dump_recipe
from nightschool.recipe.small import dry
from nightschool.report.text import duration
from tasks.night import Night
from tasks.recipes import read_recipe
from tasks.span import Span


def dry_run(recipe: str, profile: str | None, sets: Sequence[str], *, json: bool, ready: Ready) -> None:
    """Walk the recipe in a folder that is made for it and is not looked at by any other night."""
    # It takes seconds, and next to nothing of the devices: it goes beside any night.
    os.environ[VARIABLE] = OFF
    whole = read_recipe(recipe, profile=profile, sets=sets)
    folder = Path(tempfile.mkdtemp(prefix=f"nightschool-dry-{whole.name}-"))
    small = dry(whole, store=str(folder / "runs"))
    file = folder / "recipe.yaml"
    file.write_text(dump_recipe(small), encoding="utf-8")
    who = "scripted teachers" + (", a student of random weights" if whole.learner else "")
    say.print(f"Dry run of {whole.name}: {who}, a handful of rows, in {folder}", soft_wrap=True)
    began = time.monotonic()
    night = Night.plan(small)
    report = run_night(night, str(file), None, [], Span(small), ready=ready)
    seconds, page = time.monotonic() - began, night.dir / "report.html"
    phases = [phase.name for phase in report.phases if phase.chunks]
    if json:
        found = {
            "phases": phases,
            "requests": report.requests.sent,
            "seconds": round(seconds, 1),
            "folder": str(folder),
        }
        write_json(found | {"page": str(page)}, indent=False)
        return
    out.print(f"\nEvery phase of {whole.name} ran: {', '.join(phases)}; {duration(seconds)}.", soft_wrap=True)
    out.print("Its figures and gates say nothing about the recipe: no model of it was asked or trained.")
    out.print(f"What a report looks like: {page}\nNothing of it is ever reused; delete {folder}", soft_wrap=True)
