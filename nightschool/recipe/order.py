"""A night's place among others: what it waits for, and who goes first where several want the same devices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from nightschool.recipe.section import Section, execution

Queue = Literal["urgent", "default"]
# NIGHT, or NIGHT/PHASE: what a night may wait for.
Awaited = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}(/[a-z]+)?$")]


class Order(Section):
    """Which night comes when; no row depends on it."""

    after: tuple[Awaited, ...] = execution(
        (), description="nights of the same store that must be whole before this one begins, or NIGHT/PHASE for a part"
    )
    queue: Queue = execution("default", description="urgent: the next turn at the devices, before nights that are not")
