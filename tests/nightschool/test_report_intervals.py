"""No number without its interval and its sample size, and no accuracy without what guessing reaches beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel

from nightschool.report import comparison_text
from nightschool.report.ablations import ablation_table, artifact
from nightschool.report.attribution import measure_attribution
from nightschool.report.comparing import Told, comparison
from nightschool.report.figures import Report
from nightschool.report.markdown import parts
from nightschool.report.marks import marks_table, measure_marks
from nightschool.report.measure import measure_ablation
from nightschool.report.predicted import Took
from nightschool.report.proof import Estimate, Figure, Gain
from nightschool.report.stage import Latency
from nightschool.report.tables import stages
from nightschool.report.terminal import summary_lines
from nightschool.report.text import points
from nightschool.report.times import Held
from nightschool.report.times_view import held_table, ways_table
from nightschool.report.verdict import conclude
from nightschool.report.votes import measure_votes, voters_table
from nightschool.sitting import sit
from nightschool.tallies import Tally
from tests.nightschool.example_report import GATES, unjudged
from tests.nightschool.example_rows import measured
from tests.nightschool.test_arena import FOUND
from tests.nightschool.test_attribution import row as attributed
from tests.nightschool.test_comparison import RECIPE
from tests.nightschool.test_ensemble import ensemble
from tests.nightschool.test_quality import judged
from tests.nightschool.test_report_votes import RULINGS
from tests.nightschool.test_timing import timed

# Numbers that are no estimates, and why. A new bare one in the report is either one of these kinds or an Estimate.
BARE = {
    "counted whole": {
        "Shares.apart", "ShareStep.w", "ShareStep.v", "ShareStep.p", "ShareStep.shift", "ShareStep.counts",
        "Shares.wanted", "Requests.spent", "LeftOut.against", "AgreementLevel.coverage", "AgreementLevel.least",
        "SureLevel.sure", "Teacher.coverage", "Voter.coverage", "Sample.agreement", "Contamination.threshold",
        "Votes.min_agreement",
    },
    "a test's p, a limit, or a bound": {
        "Gain.p", "Compared.p", "GateResult.limit", "LatencyTimes.limit_s", "Target.mean_s", "Held.mean_limit_s",
        "Held.each_limit_s", "Held.total_limit_s", "Took.per_problem_s", "Took.total_s", "Attribution.worst",
    },
    "a time as the clock had it, or a quantile beside its n": {
        "Phase.seconds", "LatencyTimes.seconds", "WayTimes.total_s", "OverLimit.seconds", "Held.total_s", "Held.p99_s",
        "Took.p95_s", "Took.max_s", "Took.used_s", "Spread.p50", "Spread.p95", "Spread.p99", "Spread.max",
        "Latency.p50_s", "Latency.p95_s", "Latency.p99_s", "Latency.max_s", "Latency.ttft_p99_s",
    },
    "a step of training": {
        "LossPoint.loss", "LossPoint.epoch", "LossPoint.learning_rate", "LossPoint.grad_norm",
        "LossPoint.reward_margin", "LossPoint.reward_accuracy",
        "Look.epoch", "Look.loss", "Look.mean_token_accuracy",
        "Look.reward_accuracy",
        "Look.reward_margin", "Look.accuracy",
    },
    "with its interval in fields beside it": {
        "Committee.accuracy", "Committee.vote_accuracy", "Teacher.accuracy", "Stage.valid_share", "Latency.mean_s",
        "Held.mean_s", "Took.mean_s", "Spread.mean", "Calibration.confidence", "Calibration.gap", "Attribution.tokens",
        "GateResult.value", "Committee.best_teacher_accuracy", "Committee.vote_best_teacher_accuracy", "Voter.learned",
    },
}  # fmt: skip
ENDS = re.compile(r"(^|_)(low|high)(_s)?$")
SHARE = re.compile(r"\d+\.\d%")


def models(of: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if of in seen:
        return
    seen.add(of)
    yield of
    for field in of.model_fields.values():
        for one in kinds(field.annotation):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from models(one, seen)


def kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from kinds(one)


def test_a_number_in_the_report_is_an_estimate_or_says_why_it_is_none() -> None:
    known = {name for each in BARE.values() for name in each}
    found = {
        f"{model.__name__}.{name}"
        for model in models(Report, set())
        if model not in (Estimate, Gain) or model is Gain
        for name, field in model.model_fields.items()
        if float in kinds(field.annotation) and not ENDS.search(name) and f"{model.__name__}.{name}" != "Gain.value"
    }
    assert found == known


def figures(value: object) -> Iterator[Figure]:
    if isinstance(value, Figure):
        yield value
    inner: Any = value if isinstance(value, list | tuple) else ()
    inner = value.__dict__.values() if isinstance(value, BaseModel) else inner
    inner = value.values() if isinstance(value, dict) else inner
    for one in inner:
        yield from figures(one)


@cache
def whole() -> Report:
    """A night that has all of it."""
    rows = measured("sft")
    found = measure_ablation("sft", "base", rows, {"no_draft": measured("base")})
    shares = [attributed(n, 0.5 + n / 100) for n in range(20)]
    others = [attributed(n, 0.3 + n / 90, "shuffled") for n in range(20)]
    preferred = judged(lambda ours, theirs, swapped: "ours" if len(ours) % 3 else "theirs")
    more = {
        "ablations": (found.model_copy(update={"attribution": measure_attribution([*shares, *others])}),),
        "arena": FOUND,
        "quality": (preferred,),
        "ensemble": ensemble(),
        "times": (timed("answers", 5.0, slowest=8.5),),
    }
    return conclude(unjudged().model_copy(update=more), GATES)


def test_every_estimate_has_ends_around_it_and_a_size() -> None:
    found = [one for one in figures(whole()) if isinstance(one, Estimate)]
    assert len(found) > 60
    assert all(one.low <= one.value <= one.high and one.n > 0 for one in found)
    gains = [one for one in figures(whole()) if isinstance(one, Gain)]
    assert len(gains) > 15
    assert all(one.low <= one.value <= one.high and one.n for one in gains)
    means = [one for one in figures(whole()) if isinstance(one, Latency | Held | Took)]
    assert all((one.mean_low_s or 9e9) <= one.mean_s <= (one.mean_high_s or 0) for one in means)


def test_labels_have_guessing_beside_them() -> None:
    found = whole().committee
    assert found is not None
    assert set(found.baselines) == {"always B", "chance"}
    assert sum(one.n for one in found.baselines.values()) == 2 * found.rows
    told = {"strategy": "majority", "voters": "teachers", "quorum": 2, "min_agreement": 0.6, "learned": {}}
    truths = measure_votes(sit(RULINGS), **told, baselines=found.baselines)
    assert truths is not None
    assert [row[0] for row in voters_table(truths)[1]][-2:] == ["always B", "chance"]
    tally = Tally(questions=4, marks={"right": 3, "wrong": 1}, aa=4, ra=3, rr=3)
    marks = measure_marks({"ann": tally}, {}, found.baselines)
    assert marks is not None
    assert marks_table(marks)[0] == ["", "ann", "always B", "chance"]


def with_interval(cell: str) -> bool:
    return bool(re.search(r"\([^(]*\d[^(]* to [^(]*\d.*\)", cell))


def tables(markdown: str) -> Iterator[tuple[str, list[list[str]]]]:
    for part in markdown.split("### ")[1:]:
        title, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("|")]
        yield title, [[re.sub(r"\\(.)", r"\1", one.strip()) for one in re.split(r"(?<!\\)\|", line)[1:-1]]
                      for line in lines]  # fmt: skip


# Counts of the night's own rows, which would come out the same if they were counted again.
WHOLE = ("By class", "Right answers by agreement", "Shares", "What the solver said")


@pytest.mark.parametrize("part", ["committee", "student", "arena", "quality", "ensemble"])
def test_every_share_in_a_table_stands_with_its_interval_and_its_n(part: str) -> None:
    told = 0
    for title, (head, _, *rows) in tables(parts(whole())[part]):
        size = [name for name in head if name in ("n", "answers", "rows", "pairs")]
        down = {row[0]: row for row in rows}
        for row in rows:
            for place, cell in enumerate(row[1:], start=1):
                if not re.fullmatch(r"\d+\.\d%", cell):
                    continue
                told += 1
                beside = "95% interval" in head and row[head.index("95% interval")]
                below = "95% interval" in down and down["95% interval"][place]
                assert beside or below or title.startswith(WHOLE), (title, row)
                assert size or down.keys() & {"answers", "pairs", "n"} or title.startswith(WHOLE), (title, row)
            for cell in row[1:]:
                if SHARE.search(cell) and with_interval(cell):
                    told += 1
                    assert size or ", n " in cell or down.keys() & {"answers", "n"}, (title, row)
    assert told > 3, part


def test_accuracies_have_always_one_answer_and_chance_in_their_own_table() -> None:
    report = whole()
    names = list(report.baselines)
    assert stages(report)[0][-2:] == names
    assert [row[0] for row in ablation_table(report.ablations[0])[1]][-2:] == names
    assert [row["shown"] for row in artifact(report.ablations)][-2:] == names
    found = parts(report)
    assert "always" in found["arena"]
    assert "always one answer" in found["student"]
    assert "always 7" in found["ensemble"]
    told = "\n".join(summary_lines(report))
    assert "guessing: always" in told
    assert "on them: " in told, "beside the committee"


def test_a_terminal_says_no_share_without_its_interval() -> None:
    lines = summary_lines(whole())[1:]
    sure = re.compile(r"\([^(]*\d[^(]* to [^(]*\d|% to \S+%")
    bare = [line for line in lines if SHARE.search(line) and not sure.search(line)]
    assert [line for line in bare if not line.strip().startswith("classes")] == []
    assert all(len(line) <= 100 for line in lines), max(lines, key=len)


def test_gates_say_their_interval_and_n_everywhere() -> None:
    report = whole()
    gain = next(gate for gate in report.gates if gate.name == "sft-gain")
    sure = f"{points(gain.low or 0)} to {points(gain.high or 0)} points, n 1,680"
    assert sure in "\n".join(summary_lines(report))
    assert sure in re.sub(r"\\(.)", r"\1", parts(report)["gates"])
    tail = next(gate for gate in report.gates if gate.name == "no-slow-tail")
    assert (tail.low, tail.n) == (None, 160), "a quantile has no interval, and says of how many it is"


def test_times_have_the_mean_with_its_interval_and_their_number() -> None:
    [found] = whole().times
    assert found.held
    assert with_interval(held_table(found.held)[1][0][1])
    head, rows = ways_table(found)
    assert head[-1] == "n"
    assert all(with_interval(row[2]) and int(row[-1].replace(",", "")) > 0 for row in rows)


def test_two_nights_beside_each_other_have_intervals_n_and_guessing_on_both_sides() -> None:
    rows = {name: measured(name) for name in ("base", "sft", "dpo")}
    own = Told(RECIPE, whole(), rows)
    found = comparison(own, own)
    _, table = comparison_text.stage_table(found)
    assert all(with_interval(cell) and ", n " in cell for row in table for cell in row[1:3])
    assert [row[0] for row in table][-2:] == list(whole().baselines)
    last = comparison_text.times_table(found)[1][-1]
    assert last[0] == "an answer"
    assert all(with_interval(cell) and ", n 160" in cell for cell in last[1:3])
