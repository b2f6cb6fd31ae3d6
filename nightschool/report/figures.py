"""The shape of report.json: every figure of a night, and nothing that is not a figure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict

from nightschool.report.ablated import Ablation, Drafts
from nightschool.report.arena import Arena
from nightschool.report.asked import SolverCounts, Source
from nightschool.report.doubts import LeftOut
from nightschool.report.evaluated import Evaluated, Logged
from nightschool.report.lessons import Lesson, Shortcut, Turn
from nightschool.report.packed import Packed
from nightschool.report.people import SpotCheck
from nightschool.report.predicted import Ensemble
from nightschool.report.proof import Committee, Critiques, Estimate, Figure, GateResult, Marks, People, Votes
from nightschool.report.quality import Compared
from nightschool.report.rounds import Round
from nightschool.report.sample_rows import Sample, Text
from nightschool.report.shares import Shares
from nightschool.report.stage import Contamination, Stage
from nightschool.report.times import Times

Outcome = Literal["passed", "failed", "stopped"]


class Phase(Figure):
    """One phase of the night as it ran this time; `failed_rows` have no reply, in cached chunks as well."""

    name: str
    seconds: float
    chunks: int
    cached_chunks: int = 0
    failed_chunks: int = 0
    failed_rows: int = 0


class Requests(Figure):
    """What was asked of the models; reused = answered by a journal or a finished chunk.

    `spent`: money at most, over all runs of the night, by model where one has a budget.
    """

    sent: int = 0
    reused: int = 0
    retried: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    spent: dict[str, float] = {}


class Funnel(Figure):
    """How many rows were left after a step, and why the others went."""

    step: str
    total: int
    per_topic: dict[str, int] = {}
    dropped: dict[str, int] = {}


class Answered(Figure):
    """What one teacher answered: rows kept, rows dropped by reason, what it cost."""

    teacher: str
    rows: int
    dropped: dict[str, int] = {}
    requests: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


class LossPoint(Figure):
    """One line of the trainer's log; what it logs beside these is left out."""

    model_config = ConfigDict(extra="ignore")

    step: int
    loss: Logged = None
    epoch: Logged = None
    learning_rate: Logged = None
    grad_norm: Logged = None
    reward_margin: Logged = None
    reward_accuracy: Logged = None


class LatencyTimes(Figure):
    """Every timed answer of the last stage, and the strictest limit that a gate sets on it."""

    seconds: tuple[float, ...] = ()
    limit_s: float | None = None
    stage: str | None = None


class DeviceMemory(Figure):
    """Bytes in use on one device, by whomever, at the same moments as `Memory`."""

    name: Text
    before_bytes: int | None = None
    serving_bytes: int | None = None
    after_bytes: int | None = None


class Memory(Figure):
    """Bytes in use before the teachers came, while they served, after they went; what = whose memory it is."""

    before_bytes: int | None = None
    serving_bytes: int | None = None
    after_bytes: int | None = None
    peak_bytes: int | None = None
    what: str = "this night's processes"
    devices: tuple[DeviceMemory, ...] = ()


class Failure(Figure):
    """What broke, and the command that redoes just that."""

    phase: str
    chunk: int | None = None
    error: Text
    command: str


class Night(Figure):
    """Which night this is and how it was made. verdict and outcome are filled in by `conclude`.

    until: the phase that its last run was to end behind, if it was to end early.
    learns: whether the recipe has a student; a night without one only makes data. where: what its commands are given
    beside its name, such as " --store s3://bucket".
    """

    name: str
    recipe: str
    description: Text = ""
    command: str = ""
    started: datetime
    finished: datetime | None = None
    stopped_in: str | None = None
    until: str | None = None
    outcome: Outcome | None = None
    verdict: str = ""
    seed: int = 0
    engine: str = ""
    student: str = ""
    learns: bool = True
    where: str = ""
    versions: dict[str, str] = {}
    machine: dict[str, str] = {}
    keys: dict[str, str] = {}


class Report(Figure):
    """All figures of a night; a part that the night did not reach is None or empty.

    `said`: how often each class is true and how often each stage says it, see `nightschool.report.guessing`. `turns`:
    where a stage's loss changes. `accepted`: phases whose rows an older recipe made, each with what has changed since.
    `given_up`: what the night went without to end in its window, and why.
    `skipped`: stages that were not trained, each with the gate behind which it lies; `halted`: the gate that ended it.
    """

    night: Night
    gates: tuple[GateResult, ...] = ()
    what_next: tuple[str, ...] = ()
    given_up: Text = ""
    baselines: dict[str, Estimate] = {}
    topic_baselines: dict[str, dict[str, Estimate]] = {}
    lessons: tuple[Lesson, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    rounds: tuple[Round, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    said: dict[str, dict[str, int]] = {}
    stages: tuple[Stage, ...] = ()
    contamination: Contamination | None = None
    drafts: tuple[Drafts, ...] = ()
    ablations: tuple[Ablation, ...] = ()
    skipped: dict[str, str] = {}
    halted: str = ""
    committee: Committee | None = None
    people: People | None = None
    spot_check: SpotCheck | None = None
    votes: Votes | None = None
    marks: Marks | None = None
    critiques: Critiques | None = None
    arena: Arena | None = None
    quality: tuple[Compared, ...] = ()
    ensemble: Ensemble | None = None
    funnel: tuple[Funnel, ...] = ()
    shares: tuple[Shares, ...] = ()
    answered: tuple[Answered, ...] = ()
    question_sources: dict[str, Source] = {}
    solver: dict[str, SolverCounts] = {}
    losses: dict[str, tuple[LossPoint, ...]] = {}
    turns: dict[str, tuple[Turn, ...]] = {}
    evaluated: dict[str, Evaluated] = {}
    latency: LatencyTimes | None = None
    times: tuple[Times, ...] = ()
    phases: tuple[Phase, ...] = ()
    requests: Requests = Requests()
    memory: Memory | None = None
    samples: tuple[Sample, ...] = ()
    failures: tuple[Failure, ...] = ()
    remade: tuple[Text, ...] = ()
    accepted: dict[str, Text] = {}
    restarts: tuple[Text, ...] = ()
    packages: tuple[Packed, ...] = ()
    methods: str = ""

    def stage(self, name: str | None) -> Stage | None:
        """The stage of that name, if the night reached it."""
        return next((stage for stage in self.stages if stage.name == name), None)
