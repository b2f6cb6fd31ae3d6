"""Recipe section of the times that a contest allows, read from the contest's own file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from nightschool.errors import RecipeError
from nightschool.recipe.section import Clash, Name, Positive, Section, execution

if TYPE_CHECKING:
    from nightschool.recipe.stages import Learner

TimedKind = Literal["answers", "questions"]
Seconds = Annotated[float, Field(gt=0)]


class Terms(Section):
    """How requests of one kind are put, and how long they may take; a limit is what a time stays under.

    Limits decide nothing of what is asked, so that a run is held against others without being timed anew.
    """

    rows: Positive = Field(default=100, description="requests that the contest makes")
    batch_size: Positive = Field(default=1, description="put at once; the next ones when the last of these is there")
    each_s: Seconds = execution(..., description="of one request, to its last token")
    mean_s: Seconds = execution(..., description="of all of them, on average")
    total_s: Seconds | None = execution(None, description="from the first one's start to the last one's end")
    targets_s: dict[str, Seconds] = execution({}, description="means that are aimed at, by who aims at them")


class Contested(Section):
    """A contest's terms of time, as its file has them."""

    name: Name = execution(...)
    answers: Terms | None = None
    questions: Terms | None = None

    def terms(self, kind: TimedKind) -> Terms | None:
        """Those of one kind of request; None where the contest has none."""
        return self.answers if kind == "answers" else self.questions


def _read(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    from nightschool.contest_file import find_contest, load_contest  # which builds on these terms

    try:
        found = load_contest(find_contest(value, Path((info.context or {}).get("folder", "."))))
    except RecipeError as err:
        raise Clash(str(err)) from None
    if not found.timing:
        raise Clash(f"the contest {found.name} sets no times")
    return Contested(name=found.name, **found.timing)


_Named = Annotated[str, Field(description="a contest of configs/contests/, or a file of rules")]
ContestTimes = Annotated[Contested, BeforeValidator(_read, json_schema_input_type=_Named | Contested)]


def timed(learner: Learner) -> dict[TimedKind, str]:
    """Whose times are taken, by what is asked.

    The last stage that answers, and the last one that learned to ask where a contest has terms for that.
    """
    contest = learner.validate.contest
    asking = [stage.name for stage in learner.stages if not stage.passing and "questions" in stage.teaches]
    found: dict[TimedKind, str] = {"answers": learner.measured[-1]}
    if asking and contest and contest.questions:
        found["questions"] = asking[-1]
    return found
