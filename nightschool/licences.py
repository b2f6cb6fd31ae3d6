"""From the models of a recipe to what their licences let be done with what they write."""

from __future__ import annotations

from nightschool.package import base_name
from nightschool.recipe.models import Model
from nightschool.recipe.recipe import Recipe
from nightschool.registry import registry


def warnings(recipe: Recipe) -> list[str]:
    """Of each teacher that may not teach, or only on conditions, and of each unknown one, a sentence."""
    found: list[str] = []
    for teacher in recipe.teachers:
        entry = registry().find(teacher.model)
        if teacher.model.startswith("school:") or teacher.script is not None or (entry and entry.teaches == "yes"):
            continue
        who = f"**{teacher.name}** (`{base_name(teacher.model)}`)"
        if entry is None:
            found.append(f"{who}: its licence is not known here. Look whether what it writes may train another model "
                         "before this one is given to anybody.")  # fmt: skip
        elif entry.teaches == "no":
            found.append(f"{who} is under {entry.licence}: {entry.terms}. **A model that learned from it must not be "
                         "given away without the owner's leave.**")  # fmt: skip
        else:
            found.append(f"{who} is under {entry.licence}: {entry.terms}.")
    return found


def forbidding(recipe: Recipe) -> list[str]:
    """Those of the warnings that let nobody else have what learned."""
    return [line for line in warnings(recipe) if "must not be given away" in line]


def licence_of(model: Model) -> tuple[str, str]:
    """A model's licence, and whether what it writes may train another."""
    if model.model.startswith("school:"):
        return "made by nightschool", "yes"
    if model.script is not None:
        return "a script, no model", "yes"
    entry = registry().find(model.model)
    if entry is None:
        return "not known here", "not known here"
    return entry.licence, {"yes": "yes", "conditions": "on conditions", "no": "**no**"}[entry.teaches]
