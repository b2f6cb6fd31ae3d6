"""Recipe section of notifications: who is told of a night, and of what."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from nightschool.recipe.section import Section, execution

Event = Literal["start", "failure", "gate", "morning"]
_EVERY: tuple[Event, ...] = ("start", "failure", "gate", "morning")
# A block of our own, one of Prefect's by its kind and name, or a variable that holds an address as Apprise has it.
Recipient = Annotated[
    str, StringConstraints(pattern=r"^(block/([a-z0-9-]+/)?[a-z0-9][a-z0-9-]*|env/[A-Z_][A-Z0-9_]*)$")
]


class Notify(Section):
    """Messages about a night; none has a row's text in it, and one that can't be sent fails nothing."""

    to: Recipient | Annotated[tuple[Recipient, ...], Field(min_length=1)] = execution(
        ...,
        description="block/NAME, a notifier of Prefect's server; block/slack-webhook/NAME, one of Prefect's own kinds; "
        "env/VARIABLE, which holds an address such as slack://... or mailtos://...",
    )
    on: Annotated[tuple[Event, ...], Field(min_length=1)] = execution(
        _EVERY, description="start; failure: the night stopped; gate: one failed; morning: it is over, however it ended"
    )

    @property
    def everyone(self) -> tuple[str, ...]:
        """All that `to` names."""
        return (self.to,) if isinstance(self.to, str) else self.to
