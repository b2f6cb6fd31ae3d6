"""From a report to the tables and sentences of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nightschool.report.estimates import counted, guessed, spoken, taking
from nightschool.report.figures import Report
from nightschool.report.proof import Committee
from nightschool.report.sample_rows import Sample
from nightschool.report.text import duration, percent, plain, points
from nightschool.report.topics import largest

# The least share of the strip that a phase's name needs on a desk's screen; a phone needs twice as much.
_ROOM = 0.08

Table = tuple[list[str], list[list[str]]]


def funnel(report: Report) -> Table:
    """Rows by step and topic; small topics together where there are many."""
    counts = {topic: count for step in reversed(report.funnel) for topic, count in step.per_topic.items()}
    topics = largest(counts)
    small = [topic for topic in counts if topic not in topics]
    rows = [
        [plain(step.step), *(_number(step.per_topic.get(topic)) for topic in topics),
         *([f"{sum(step.per_topic.get(topic, 0) for topic in small):,}"] if small else []), f"{step.total:,}"]
        for step in report.funnel
    ]  # fmt: skip
    others = [f"{len(small):,} others"] if small else []
    return ["step", *map(plain, topics), *others, "all"], rows


def solver(report: Report) -> Table:
    """The solver's verdicts on each teacher's questions, and the share that was fit to ask."""
    names = ("ok", "wrong_key", "unsolvable", "malformed")
    rows = []
    for teacher, counts in report.solver.items():
        found = [getattr(counts, name) for name in names]
        rows.append([teacher, *(f"{n:,}" for n in found), counted(counts.fit)])
    return ["teacher", *map(plain, names), "share ok"], rows


def stages(report: Report) -> Table:
    """One column per stage, so that the table fits a phone; then what guessing reaches."""
    guesses = guessed(report.baselines)
    shares = [*(stage.accuracy for stage in report.stages), *(found for _, found in guesses)]
    times = [stage.latency for stage in report.stages]
    lines: dict[str, list[str]] = {
        "accuracy": [percent(found.value) for found in shares],
        "95% interval": [f"{percent(found.low)} to {percent(found.high)}" for found in shares],
        "answers": [f"{found.n:,}" for found in shares],
        "balanced": [spoken(stage.by_class.balanced if stage.by_class else None) for stage in report.stages],
        "valid format": [spoken(stage.valid) for stage in report.stages],
        "mean per answer": [taking(one.mean_s, one.mean_low_s, one.mean_high_s) if one else "" for one in times],
        "p99 per answer": [duration(one.p99_s) if one else "" for one in times],
        "answers timed": [f"{one.n:,}" if one else "" for one in times],
    }
    rows = [[name, *cells, *[""] * (len(shares) - len(cells))] for name, cells in lines.items() if any(cells)]
    return ["", *(stage.name for stage in report.stages), *(name for name, _ in guesses)], rows


def answered(report: Report) -> Table:
    """What each teacher answered, and what it cost."""
    rows = []
    for one in report.answered:
        each = one.tokens_out / one.requests if one.requests else 0
        counts = (one.rows, sum(one.dropped.values()), one.requests, one.retries, one.tokens_in, one.tokens_out)
        rows.append([one.teacher, *(f"{n:,}" for n in counts), f"{each:,.0f}"])
    return ["teacher", "kept", "dropped", "sent", "retries", "tokens in", "tokens out", "out each"], rows


def devices(report: Report) -> list[tuple[str, str, int]]:
    """Each device's memory before, while and after serving."""
    found = report.memory.devices if report.memory else ()
    moments = ("before", "serving", "after")
    named = [(one.name, moment, getattr(one, f"{moment}_bytes")) for one in found for moment in moments]
    return [(name, moment, size) for name, moment, size in named if size is not None]


def memory(report: Report) -> list[tuple[str, int]]:
    """What was measured of memory, in the order of the night."""
    found = report.memory
    if found is None:
        return []
    named = (
        ("before serving", found.before_bytes),
        ("while serving", found.serving_bytes),
        ("after serving", found.after_bytes),
        ("peak of the night", found.peak_bytes),
    )
    return [(name, size) for name, size in named if size is not None]


def made(report: Report) -> list[tuple[str, str]]:
    """How to make this night again."""
    night = report.night
    machine = ", ".join(f"{name} {value}" for name, value in night.machine.items())
    return [
        ("recipe", night.recipe),
        ("again", night.command),
        ("engine", night.engine),
        ("seed", str(night.seed)),
        ("student", night.student),
        ("machine", machine),
    ]


def requests(report: Report) -> list[tuple[str, str]]:
    """Every count of requests and tokens, and money, by the name a reader knows."""
    asked = report.requests.model_dump()
    spent = asked.pop("spent").items()
    counts = [(plain(name), f"{count:,}") for name, count in asked.items()]
    return [*counts, *((f"spent on {model}", f"{money:,.2f}") for model, money in spent)]


def committee(found: Committee) -> str:
    """What voting adds over the best teacher, in one or two sentences."""
    words = []
    if found.vote_accuracy is not None and found.vote_best_teacher_accuracy is not None:
        alone = next((one.on_vote for one in found.teachers if one.name == found.vote_best_teacher), None)
        words.append(
            f"Of {found.vote_rows:,} questions that the vote decided it labels {spoken(found.voted)} right, "
            f"the best teacher alone ({found.vote_best_teacher}) "
            f"{spoken(alone) or percent(found.vote_best_teacher_accuracy)}{_difference(found)}."
        )
    if found.verifier == "solver":
        words.append("The solver outranks the votes, so labels of accepted rows are right by construction.")
    if guesses := ", ".join(f"{name} {spoken(one)}" for name, one in guessed(found.baselines)):
        words.append(f"Of the accepted rows guessing labels as many right: {guesses}.")
    words.append(f"{found.asked:,} questions were asked; a teacher who gave no readable answer counts as not right.")
    return " ".join(words)


def ruling(row: Sample) -> str:
    """Who ruled on a sample row, and how."""
    parts = [f"Written by {row.source}." if row.source else ""]
    decided = f"Ruled by {'the solver' if row.by == 'solver' else row.by}" if row.by else ""
    agreement = f"{percent(row.agreement, 0)} of votes agree" if row.agreement is not None else ""
    parts.append("; ".join(part for part in (decided, agreement) if part))
    parts[-1] += "." if parts[-1] else ""
    parts.append(f"Solver says: {plain(row.solver)}." if row.solver else "")
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Band:
    """One phase on the strip of the night. start, width, late: percent of the night; narrow: its label fits a phone."""

    start: float
    width: float
    late: int
    label: str
    narrow: bool
    failed: bool


def strip(report: Report) -> list[Band]:
    """The night from dusk to dawn, each phase as wide as it took; labels where there is room for them."""
    whole = sum(phase.seconds for phase in report.phases)
    bands: list[Band] = []
    start = 0.0
    for phase in report.phases if whole else ():
        share = phase.seconds / whole
        label = plain(phase.name) if share > _ROOM else ""
        late = round(100 * (start + share / 2))
        bands.append(
            Band(round(100 * start, 2), round(100 * share, 2), late, label, share > 2 * _ROOM, phase.failed_chunks > 0)
        )
        start += share
    return bands


def view(report: Report) -> dict[str, Any]:
    """All of them, by the names that the template uses."""
    remembered = memory(report)
    return {
        "funnel_table": funnel(report),
        "funnel_most": max((step.total for step in report.funnel), default=0),
        "solver_table": solver(report),
        "answered_table": answered(report),
        "stage_table": stages(report) if report.stages else None,
        "committee_words": committee(report.committee) if report.committee else "",
        "slowest_s": max((phase.seconds for phase in report.phases), default=0),
        "memory_rows": remembered,
        "device_rows": devices(report),
        "device_most": max((size for _, _, size in devices(report)), default=0),
        "memory_most": max((size for _, size in remembered), default=0),
        "requests": requests(report),
        "strip": strip(report),
        "strip_words": ", ".join(f"{plain(phase.name)} {duration(phase.seconds)}" for phase in report.phases),
        "made": made(report),
    }


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _difference(found: Committee) -> str:
    gain = found.vote_gain
    return f": {points(gain.value)} points, 95% interval {points(gain.low)} to {points(gain.high)}" if gain else ""
