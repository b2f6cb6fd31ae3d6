"""The figures of a stage: how often it is right, by topic and class, how sure it is and how fast; beside others."""

from __future__ import annotations

from nightschool.report.proof import Estimate, Figure, Gain


class Latency(Figure):
    """Seconds per answer, one after the other; the mean with its 95% interval; to its first token where it streams."""

    n: int
    mean_s: float
    mean_low_s: float
    mean_high_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float
    ttft_p99_s: float | None = None


class OneClass(Figure):
    """The questions with one truth: the share of right answers, and how often each answer was `said`."""

    truth: str
    right: Estimate
    said: dict[str, int]


class ByClass(Figure):
    """Classes by their truth, and the mean of their shares, in which each has the same say."""

    classes: tuple[OneClass, ...]
    balanced: Estimate

    @property
    def worst(self) -> OneClass:
        """The class with the least share of right answers."""
        return min(self.classes, key=lambda one: one.right.value)

    @property
    def commonest(self) -> str:
        """The truth of the most answers; of equals the last, as always giving the commonest answer has it."""
        return max(self.classes, key=lambda one: (one.right.n, one.truth)).truth

    def of(self, truth: str) -> Estimate | None:
        """The share of right answers where this is the truth."""
        return next((one.right for one in self.classes if one.truth == truth), None)


class SureLevel(Figure):
    """Answers with which this share of the question's other answers agrees."""

    sure: float
    right: Estimate


class Calibration(Figure):
    """Mean confidence (`sure`: with its interval), and its gap to the accuracy of the same answers with a 95% interval:
    above 0 is too sure."""

    questions: int
    confidence: float
    gap: float
    low: float
    high: float
    levels: tuple[SureLevel, ...]
    sure: Estimate | None = None


class Stage(Figure):
    """The student at one point of its training, on held-out questions.

    `gain` is over the stage that it began with, `gains` are over the other ones before it, `over_guessing` is over
    always giving the commonest answer. `unread`: answers that could not be read, by reason. `as_ruled`: the share of
    answers that are the committee's, where it ruled on held-out questions.
    """

    name: str
    accuracy: Estimate
    valid_share: float
    valid_low: float
    valid_high: float
    per_topic: dict[str, Estimate] = {}
    gain: Gain | None = None
    gain_over_base: Gain | None = None
    gains: tuple[Gain, ...] = ()
    over_guessing: Gain | None = None
    by_class: ByClass | None = None
    unread: dict[str, int] = {}
    calibration: Calibration | None = None
    as_ruled: Estimate | None = None
    latency: Latency | None = None

    @property
    def valid(self) -> Estimate:
        """The share of its answers that could be read."""
        return Estimate(value=self.valid_share, low=self.valid_low, high=self.valid_high, n=self.accuracy.n)

    @property
    def compared(self) -> tuple[Gain, ...]:
        """Every difference to what came before it and to guessing, each once."""
        found = (self.gain, self.gain_over_base, *self.gains, self.over_guessing)
        return tuple({gain.over: gain for gain in found if gain}.values())


class Contamination(Figure):
    """Held-out questions that were taught, the `same` word for word or `near` by the threshold; `first` are ids of some
    with those of their twins."""

    held_out: int
    taught: int
    same: int
    near: int
    threshold: float
    first: tuple[tuple[str, str], ...] = ()
