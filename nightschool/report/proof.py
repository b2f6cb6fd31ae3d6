"""The figures that prove or disprove: stages, committee, gates, each with its interval and sample size."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from nightschool.recipe.gate import OnFailure

SIGNIFICANT = 0.05


class Figure(BaseModel):
    """A part of the report: fixed once made, unknown keys refused, no number that is not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Estimate(Figure):
    """A share in [0, 1] with its 95% interval; n is the number of answers behind it."""

    value: float
    low: float
    high: float
    n: int


class Gain(Figure):
    """A difference of two shares on the same rows, in [-1, 1], with its paired 95% interval and exact p; n is how many
    answers each side has."""

    over: str
    value: float
    low: float
    high: float
    p: float | None = None
    n: int | None = None

    @property
    def significant(self) -> bool:
        """The interval leaves out zero, and the exact test agrees."""
        return (self.low > 0 or self.high < 0) and (self.p is None or self.p < SIGNIFICANT)


class People(Figure):
    """What people made of the rows that were left to them: rows by what was decided and by whom; `waiting` ones still
    wait."""

    waiting: int
    actions: dict[str, int] = {}
    by: dict[str, int] = {}


class Critiques(Figure):
    """Solutions to judge: how many of each judgement by teacher, and on how many questions.

    per_question: questions by how many right and wrong ones they gave; left_out: solutions that could not be drawn;
    dropped: questions without critiques, by reason.
    """

    questions: int
    judgements: dict[str, dict[str, int]]
    per_question: dict[str, int]
    left_out: dict[str, int]
    dropped: dict[str, int]


class Teacher(Figure):
    """One teacher alone; an abstention counts as not right.

    accuracy, per_topic: on the rows that the committee accepted; on_vote: on those that the vote alone decided;
    coverage: share of all asked rows with a readable vote.
    """

    name: str
    accuracy: float
    low: float
    high: float
    per_topic: dict[str, Estimate] = {}
    coverage: float
    on_vote: Estimate | None = None


class Committee(Figure):
    """Labels of the committee against each teacher's on the same rows, truth by the solver.

    The top fields are about the accepted rows, vote_* about the rows that the vote alone decided: where the solver
    rules, accepted labels are right by construction, and only the vote's own figures say what voting adds. `baselines`:
    what guessing reaches on the accepted rows.
    """

    asked: int
    rows: int
    accuracy: float
    low: float
    high: float
    best_teacher: str
    best_teacher_accuracy: float
    gain: Gain | None = None
    verifier: str = "none"
    vote_rows: int
    vote_accuracy: float | None = None
    vote_low: float | None = None
    vote_high: float | None = None
    vote_best_teacher: str | None = None
    vote_best_teacher_accuracy: float | None = None
    vote_gain: Gain | None = None
    teachers: tuple[Teacher, ...] = ()
    baselines: dict[str, Estimate] = {}

    @property
    def labelled(self) -> Estimate:
        """The accepted rows whose label is right."""
        return Estimate(value=self.accuracy, low=self.low, high=self.high, n=self.rows)

    @property
    def voted(self) -> Estimate | None:
        """The rows that the vote decided and labels right; None where it decided none."""
        if self.vote_accuracy is None or self.vote_low is None or self.vote_high is None:
            return None
        return Estimate(value=self.vote_accuracy, low=self.vote_low, high=self.vote_high, n=self.vote_rows)

    def alone(self, teacher: Teacher) -> Estimate:
        """What a teacher alone labels right of the same rows."""
        return Estimate(value=teacher.accuracy, low=teacher.low, high=teacher.high, n=self.rows)


class Voter(Figure):
    """One teacher's votes: `coverage` of all questions (`voted`: with its interval), those `right` where the truth is
    known, the `gain` that the committee's votes have over it on the same questions, and the share of right votes that
    was `learned` from them."""

    name: str
    coverage: float
    right: Estimate | None
    gain: Gain | None
    learned: float | None
    voted: Estimate | None = None


class AgreementLevel(Figure):
    """The questions that the votes decide with at least this share of them behind the answer; coverage is of all."""

    least: float
    coverage: float
    right: Estimate | None


class Votes(Figure):
    """How a committee ruled, by letters or by values; `accepted` counts by whom, `review` and `rejected` by reason.

    overruled: accepted against the votes; not_compared: pairs of values that nobody could judge. agreement: the mean
    share of cast votes behind the leading answer, over questions on which anybody voted. `baselines`: what guessing
    reaches on the questions whose truth is known.
    """

    strategy: str
    voters: str
    quorum: int
    min_agreement: float
    asked: int
    decided: int
    right: Estimate | None
    accepted: dict[str, int]
    review: dict[str, int]
    rejected: dict[str, int]
    overruled: int
    not_compared: int
    levels: tuple[AgreementLevel, ...]
    teachers: tuple[Voter, ...]
    agreement: Estimate | None = None
    baselines: dict[str, Estimate] = {}


class TeacherMarks(Figure):
    """What one teacher's free solutions were worth, where the truth is known.

    right: share of the solutions that could be judged; one without an answer counts as not right. results: questions
    on which its solutions were all right, all wrong or mixed; reasons: why solutions have no value.
    """

    name: str
    right: Estimate | None
    questions: int
    marks: dict[str, int]
    results: dict[str, int]
    reasons: dict[str, int] = {}


class Marks(Figure):
    """Free solutions held against the file's answers; classes: questions by how all teachers' results agree;
    baselines: what guessing reaches on these questions."""

    teachers: tuple[TeacherMarks, ...]
    classes: dict[str, int]
    baselines: dict[str, Estimate] = {}


class GateResult(Figure):
    """A gate and what became of it. value, its interval and limit in the metric's own unit; no value = it could not be
    measured, no interval = it was counted whole, or is a quantile or a sum.

    because: why it failed although the figure is within the limit.
    """

    name: str
    passed: bool
    value: float | None
    limit: float
    by: Literal["value", "interval"]
    detail: str
    metric: str = ""
    stage: str | None = None
    player: str | None = None
    over: str | None = None
    direction: Literal["at_least", "at_most"] = "at_least"
    on_failure: OnFailure = "fail"
    because: str = ""
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def fails(self) -> bool:
        """Whether the night has failed by it."""
        return not self.passed and self.on_failure != "warn"
