"""Recipe sections of the night shift: when a night may run, and what it may give up to be done by then."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints, field_validator, model_validator

from nightschool.recipe.section import Clash, Name, Section, Share
from nightschool.recipe.tune import FieldName

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)

# Whose night it is, which rows prove the student, and what is read from a file beside the recipe.
_NOT_TO_GIVE_UP = ("name", "description", "store", "window", "fallbacks", "tune", "splits", "school", "validate.side")
_FROM_FILES = ("prompt", "prompts", "file", "script", "texts")


class Window(Section):
    """When nights of this recipe may run. It decides nothing of what they make.

    Source: plan 000, "Timeline".
    """

    start: Clock = Field(description="when it opens, by the clock of the zone: 22:00")
    end: Clock = Field(description="when it closes; the next morning's, if it is not after the start")
    zone: str = Field(default="UTC", description="time zone by its IANA name: Europe/Berlin")
    days: tuple[Day, ...] = Field(default=DAYS, min_length=1, description="days on which it opens")
    spare_minutes: float = Field(
        default=5.0, ge=0, le=600, description="a night that isn't done stops so long before the end, to leave in order"
    )
    margin: Share = Field(default=0.1, description="by what share an estimate may fall short before it no longer fits")

    @field_validator("zone")
    @classmethod
    def _exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Clash("there is no such time zone", allowed="an IANA name such as Europe/Berlin, or UTC") from None
        return zone

    @model_validator(mode="after")
    def _lasts(self) -> Window:
        if self.start == self.end:
            raise Clash("the window ends as it starts", "end", allowed="another time; a whole day needs no window")
        return self


class Fallback(Section):
    """What a night may give up to end in its window.

    Source: plan 000, "Alternative Paths (If Time-Constrained)".
    """

    name: Name
    description: str = Field(default="", description="what is given up, as the report is to say it")
    sets: dict[FieldName, Any] = Field(
        min_length=1, description="fields by path, as for --set; null leaves a section out"
    )
    until: str | None = Field(
        default=None,
        description="the phase up to whose beginning it can be chosen; if left out, the first that it changes",
    )

    @field_validator("sets")
    @classmethod
    def _of_the_night_itself(cls, sets: dict[str, Any]) -> dict[str, Any]:
        for name in sets:
            if any(f"{name}.".startswith(f"{part}.") for part in _NOT_TO_GIVE_UP) or name == "validate":
                raise Clash(f"{name} is not to be given up: it says whose night it is, or what proves it", name)
            if name.rpartition(".")[2] in _FROM_FILES:
                raise Clash(f"{name} is read from a file: a fallback sets numbers and words, or leaves out", name)
        return sets

    @property
    def told(self) -> str:
        """What is given up, in words."""
        return self.description or ", ".join(
            f"{path} left out" if value is None else f"{path}={value}" for path, value in self.sets.items()
        )


def clashing(one: Fallback, other: Fallback) -> bool:
    """Whether the two change the same thing, so that they can't be chosen together."""
    pairs = ((f"{a}.", f"{b}.") for a in one.sets for b in other.sets)
    return any(a.startswith(b) or b.startswith(a) for a, b in pairs)
