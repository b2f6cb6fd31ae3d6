"""The drafts that an ensemble's stages are shown of one problem: asked for first, within the problem's time."""

from __future__ import annotations

from collections.abc import Callable

from blocks.client import client
from blocks.journal import Journal
from nightschool import drafts
from nightschool.errors import DataError, OutOfTime, WorldError
from nightschool.records import Question
from tasks.asking import Asked, Uncounted
from tasks.drafts import asker
from tasks.night import Night
from tasks.spending import accounted
from tasks.step import Served

# In the place of a template and a round in a row's id: answers have both.
DRAFT = "draft"


class Drafting:
    """One problem's drafts by who is shown them, each on file the moment it comes.

    Args:
        row_id: of a model's draft in the journal.
        until: moment of `time.monotonic` at which the problem's time is over; None = never.
    """

    def __init__(
        self, night: Night, problem: Question, served: Served, journal: Journal,
        row_id: Callable[[str], str], until: float | None,
    ) -> None:  # fmt: skip
        self._night, self._problem, self._served, self._journal = night, problem, served, journal
        self._row_id, self._until = row_id, until
        self._asked: dict[str, Asked] = {}

    @property
    def asked(self) -> list[Asked]:
        """What was asked for, by whom it was needed."""
        return list(self._asked.values())

    def of(self, model: str, *, ask: bool) -> str | None:
        """The draft that a model of the ensemble is shown; None where it is shown none, or none came in time.

        Args:
            ask: whether one may be asked for that is not on file.
        """
        drafter = drafter_of(self._night, model)
        if not drafter or drafter not in self._served:
            return None
        with accounted(self._night, drafter, self._served[drafter]) as endpoint:
            asked = self._asked.setdefault(model, Asked(endpoint, self._journal, Uncounted()))
            wanted = asker(self._night, drafter)(self._problem).model_copy(update={"id": self._row_id(model)})
            asked.expect([wanted], None)
            try:
                if ask:
                    client().ask_all(endpoint, asked.to_ask(), asked.keep, asked.give_up, until=self._until)
                else:
                    list(asked.to_ask())
            except (OutOfTime, WorldError, DataError):
                self._journal.check()
        reply = asked.replies.get(wanted.id)
        return drafts.read(reply).text if reply else None


def drafter_of(night: Night, model: str) -> str:
    """Who drafts for a model of the ensemble; "" where nobody does, or no template shows it."""
    section, learner = night.recipe.predict, night.recipe.learner
    shows = section and any(prompt.shows_draft for prompt in section.templates.values())
    return learner.draft_of(model) if shows and learner else ""
