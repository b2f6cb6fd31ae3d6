"""From a night's report to the figures of a model card: no share without interval, n and what guessing reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nightschool.gates import interval, limit_shown, shown
from nightschool.report.estimates import best_guess, counted, gained, guessed, spoken, taking
from nightschool.report.figures import Report
from nightschool.report.proof import Committee, Estimate
from nightschool.report.stage import Latency
from nightschool.report.stage import Stage as Measured
from nightschool.report.text import plain, visible
from nightschool.training.merge_job import Alike


def figures(report: Report, stage: str) -> str:
    """Stages, topics, seconds and gates, with what guessing reaches, as Markdown."""
    guesses = [(name, spoken(found), f"{found.n:,}", "", "") for name, found in guessed(report.baselines)]
    head = table(("", "accuracy (95% interval)", "answers", "gain over the one before, in points", "valid"),
                  [*(_measured(one, stage) for one in report.stages), *(guesses if report.stages else ())])  # fmt: skip
    mine = report.stage(stage)
    topics = "" if mine is None else table(
        ("topic", "accuracy (95% interval)", "answers", "guessing reaches"),
        [(plain(name), spoken(each), f"{each.n:,}", _guess(report.topic_baselines.get(name, {})))
         for name, each in mine.per_topic.items()],
    )  # fmt: skip
    times = _seconds(mine.latency) if mine and mine.latency else ""
    gates = table(("gate", "value", "95% interval, n", "wanted", ""), [
        (gate.name, "not measured" if gate.value is None else shown(gate.metric, gate.value), interval(gate),
         f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)} by {gate.by}",
         "held" if gate.passed else "**did not hold**" if gate.fails else "did not hold: a warning")
        for gate in report.gates
    ])  # fmt: skip
    missing = "" if mine else f"Stage {stage} was not measured: it does not answer questions."
    return "\n\n".join(filter(None, [_asked(report), head, missing, topics, times, gates]))


def _asked(report: Report) -> str:
    told = "On questions that no model saw; an answer that could not be read counts as wrong."
    if (both := report.contamination) is None:
        return told
    return (
        f"{told} Of the {both.held_out:,} questions {both.same:,} had been taught word for word, {both.near:,} nearly."
    )


def _measured(one: Measured, packed: str) -> tuple[str, ...]:
    name = f"**{one.name}**" if one.name == packed else one.name
    return name, spoken(one.accuracy), f"{one.accuracy.n:,}", gained(one.gain) if one.gain else "", spoken(one.valid)


def _guess(baselines: Mapping[str, Estimate]) -> str:
    best = best_guess(baselines)
    return f"{best[0]}: {counted(best[1])}" if best else ""


def _seconds(found: Latency) -> str:
    mean = taking(found.mean_s, found.mean_low_s, found.mean_high_s)
    return f"An answer takes {mean} on average, one at a time (n {found.n:,})."


def labels(found: Committee) -> str:
    """How many of the labels are right, beside what one teacher and guessing have of the same rows."""
    others = [(f"the best teacher alone, {one.name},", found.alone(one))
              for one in found.teachers if one.name == found.best_teacher]  # fmt: skip
    others += [best] if (best := best_guess(found.baselines)) else []
    told = f"Of the accepted labels {counted(found.labelled)} are right"
    told += ", as the solver outranks the votes" if found.verifier == "solver" else ""
    told += "".join(f"; {name} has {counted(one)} of them right" for name, one in others)
    return told + (f". Of those that the vote alone decided: {counted(found.voted)}." if found.voted else ".")


def rest(found: Estimate) -> Estimate:
    """The share of the others."""
    return Estimate(value=1 - found.value, low=1 - found.high, high=1 - found.low, n=found.n)


def same_choice(found: Alike) -> str:
    """A count: these tokens and no others were looked at."""
    return f"{round(found.same_choice * found.positions):,} of {found.positions:,}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; nothing for no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines)


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("\n", " ")
