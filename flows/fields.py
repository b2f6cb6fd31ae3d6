"""Fields of Prefect's forms: what each offers, and what it takes; a call from Python takes any recipe's path as well.

A form refuses what does not fit before a run is made; whatever comes through is looked at again when the run begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from nightschool.recipe.load import recipes
from tasks.steps import STEPS

_CONFIGS = Path(__file__).parents[1] / "configs"
# What stands for "nothing chosen" in a list.
NO_PROFILE, BEGINNING, END = "none", "the beginning", "the end"
_NAME = "[a-z0-9][a-z0-9._-]{0,62}"


def titled(title: str, *offered: str, **more: Any) -> Any:
    """A field by this title, where Prefect would have its parameter's name; with what it offers, if it is a list."""
    extra: dict[str, Any] = {"title": title, **({"enum": list(offered)} if offered else {}), **more}
    return Field(json_schema_extra=extra)


RecipeName = Annotated[str, titled("Recipe", *(file.stem for file in recipes(_CONFIGS)))]
ProfileName = Annotated[
    str, titled("Profile", NO_PROFILE, *sorted({file.stem for file in (_CONFIGS / "profiles").rglob("*.yaml")}))
]
_Set = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_.\-\[\]]+=.*$"})]
Sets = Annotated[Sequence[_Set], titled("Overrides")]
NewName = Annotated[str, titled("Night's name", pattern=f"^({_NAME})?$")]
NightName = Annotated[str, titled("Night", pattern=f"^{_NAME}$")]
StoreName = Annotated[str, titled("Store", minLength=1)]
PhaseName = Annotated[str, titled("Phase", *STEPS)]
FromPhase = Annotated[str, titled("From phase", BEGINNING, *STEPS)]
UntilPhase = Annotated[str, titled("Until phase", *STEPS, END)]
Accepted = Annotated[Sequence[PhaseName], titled("Accept stale rows of")]


def chosen(value: str) -> str | None:
    """What was chosen from a list, None where it was nothing."""
    return None if value in ("", NO_PROFILE, BEGINNING, END) else value
