"""The figures of an ensemble: who answered what, how often who is right, other rules of voting, and time."""

from __future__ import annotations

from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.sample_rows import Text


class Voted(Figure):
    """The ensemble or one of its voters: the share of problems that it has an answer to, and of right answers where the
    truth is known, silence being none; `gain` is the ensemble's over it. `unheard`: problems by why it was not heard.
    """

    name: str
    answered: Estimate
    right: Estimate | None = None
    gain: Gain | None = None
    unheard: dict[str, int] = {}


class Counted(Figure):
    """A rule of voting on the same replies: the share of problems that it accepts an answer to, how many of these
    answers are right, and of all that would be handed in; `gain` is over the recipe's own rule."""

    strategy: str
    own: bool
    decided: Estimate
    right_decided: Estimate | None = None
    right: Estimate | None = None
    gain: Gain | None = None


class Took(Figure):
    """Seconds that problems took, beside what one may take; and those that a run used of what all may take."""

    problems: int
    mean_s: float
    mean_low_s: float | None = None
    mean_high_s: float | None = None
    p95_s: float
    max_s: float
    per_problem_s: float | None = None
    used_s: float | None = None
    total_s: float | None = None


class Judged(Figure):
    """A submission against its contest's rules; `broken` counts by rule, `whole` is what is wrong with the file."""

    rows: int
    valid: int
    taken: bool
    broken: dict[str, int] = {}
    whole: tuple[Text, ...] = ()


class Ensemble(Figure):
    """An ensemble's run.

    `by`: answers by where they come from. `voters`: the ensemble, then each voter's first replies, best first.
    `baselines`: what always the commonest of the true answers reaches, and chance where they are a few classes.
    `checked`: problems that answers could be put into.
    """

    night: str
    problems: int
    models: tuple[str, ...]
    templates: tuple[str, ...]
    rounds: int
    by: dict[str, int]
    voters: tuple[Voted, ...]
    rules: tuple[Counted, ...] = ()
    baselines: dict[str, Estimate] = {}
    checked: int = 0
    requests: int = 0
    tokens_out: int = 0
    took: Took | None = None
    submission: str | None = None
    judged: Judged | None = None

    @property
    def whole(self) -> Voted:
        """The ensemble itself."""
        return self.voters[0]

    @property
    def unheard(self) -> dict[str, dict[str, int]]:
        """By voter, on how many problems it was not heard, by reason."""
        return {one.name: one.unheard for one in self.voters if one.unheard}
