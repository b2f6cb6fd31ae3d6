"""Whether the file of questions is as the night needs it, and what it holds."""

from __future__ import annotations

from blocks.preflight.check import Check, fail, ok, warn
from nightschool.errors import DataError
from nightschool.recipe.recipe import Recipe
from nightschool.sources.survey import survey


def questions_checks(recipe: Recipe) -> list[Check]:
    """The file read as the night would read it; nothing where the questions are written."""
    file = recipe.pool.file
    if file is None:
        return []
    try:
        found = survey(recipe.pool.load())
    except DataError as err:
        return [fail("questions", str(err), "mend the file, or say in pool how it is to be read")]
    shares = "; ".join(line.strip() for line in found.lines[1:])
    told = f"{found.summary}; {shares}" if shares else found.summary
    if file.canary:
        mend = "keep what comes of them out of training: an export of their train side is refused"
        return [warn("questions", f"{told}; they carry a benchmark's canary", mend)]
    if found.bad:
        return [warn("questions", told, "nightschool rows NIGHT --phase pool --dropped lists them")]
    return [ok("questions", told)]
