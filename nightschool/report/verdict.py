"""From figures to words: did it work, what broke, what next; in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nightschool.gates import judge
from nightschool.recipe.gate import Gate
from nightschool.report import ensemble, times_view
from nightschool.report.advice import advice
from nightschool.report.estimates import beside, best_guess, counted, short, short_of
from nightschool.report.figures import LatencyTimes, Outcome, Report
from nightschool.report.guessing import leaning
from nightschool.report.kept import export
from nightschool.report.people import spotted
from nightschool.report.proof import Estimate
from nightschool.report.text import plain, points

if TYPE_CHECKING:
    from nightschool.recipe.recipe import Recipe


def conclude(report: Report, gates: Sequence[Gate], recipe: Recipe | None = None) -> Report:
    """The same report with its gates judged, its outcome, its verdict and what to do next.

    Timed answers that have no limit yet get the strictest one that a gate sets on latency.

    Args:
        recipe: whose keys the advice may name; None: it names none.
    """
    results = (judge(gate, report) for gate in gates)
    # A run that was to end early has not come to the others yet.
    told = tuple(one for one in results if one.value is not None or not report.night.until)
    judged = report.model_copy(update={"gates": told, "latency": _limited(report, gates)})
    outcome = _outcome(judged)
    night = judged.night.model_copy(update={"outcome": outcome})
    judged = judged.model_copy(update={"night": night})
    night = night.model_copy(update={"verdict": verdict_line(judged)})
    return judged.model_copy(update={"night": night, "what_next": what_next(judged, recipe)})


def headline(report: Report) -> str:
    """The shortest true answer to "did it work?"."""
    if report.halted:
        return f"Gate {report.halted} stopped the night"
    if report.night.stopped_in:
        return f"The night stopped in {plain(report.night.stopped_in)}"
    if report.night.until:
        return f"The night went as far as {plain(report.night.until)}"
    failed = sum(gate.fails for gate in report.gates)
    if failed:
        return f"{failed} of {len(report.gates)} gates failed"
    last = report.stages[-1] if report.stages else None
    gain = last and (last.gain_over_base or last.gain)
    if gain is None:
        return "The night is done"
    if gain.significant and gain.value > 0:
        guess = unbeaten(report)
        return f"The student learned, and does no better than {guess[0]}" if guess else "The student learned"
    if gain.significant:
        return "The student got worse"
    return "The student did not measurably learn"


def unbeaten(report: Report) -> tuple[str, Estimate] | None:
    """The best of what needs no student, where the last stage is not measurably above it.

    Source: plan 002, whose phase B was no better than always no, which nobody had looked at.
    """
    if not report.stages or not report.baselines:
        return None
    found = best_guess(report.baselines)
    return found if found and report.stages[-1].accuracy.low <= found[1].value else None


def verdict_line(report: Report) -> str:
    """All in one line: "Student 48.2% [44.0, 52.4] -> 70.1% [...] after sft (+21.9 points [...]), n 540 (95%
    intervals), where always no reaches 51.5% [...] of 540; all 6 gates passed"."""
    parts = _made(report)
    if report.halted:
        parts.append(f"stopped by gate {report.halted}")
    elif report.night.stopped_in:
        parts.append(f"stopped in {plain(report.night.stopped_in)}")
    elif report.night.until:
        parts.append(f"went as far as {plain(report.night.until)}, as it was to")
    parts += [f"{stage} skipped behind gate {gate}" for stage, gate in report.skipped.items()]
    failed = [gate.name for gate in report.gates if gate.fails and gate.value is not None]
    unknown = sum(gate.fails and gate.value is None for gate in report.gates)
    warned = [gate.name for gate in report.gates if not gate.passed and not gate.fails]
    if failed:
        parts.append(f"{len(failed)} of {len(report.gates)} gates failed: {', '.join(failed)}")
    if unknown:
        parts.append(f"{_count(unknown, 'gate')} could not be measured")
    if warned:
        parts.append(f"{_count(len(warned), 'gate')} warned: {', '.join(warned)}")
    if report.gates and not (failed or unknown or warned):
        parts.append(f"all {len(report.gates)} gates passed" if len(report.gates) > 1 else "the one gate passed")
    parts += [
        f"{_count(one.failed_rows, 'row')} of {plain(one.name)} missing" for one in report.phases if one.failed_rows
    ]
    if report.failures:
        parts.append(f"{_count(len(report.failures), 'failure')} to mend")
    line = "; ".join(parts) or "nothing was measured"
    return line[0].upper() + line[1:]


def stale(report: Report) -> list[str]:
    """Of each phase that was accepted although the recipe had changed, a sentence."""
    return [
        f"The rows of {plain(phase)} were made by an older recipe: {because}; accepted by --accept-stale"
        for phase, because in report.accepted.items()
    ]


def what_next(report: Report, recipe: Recipe | None = None) -> tuple[str, ...]:
    """What to do in the morning, most urgent first; lines that begin with "$ " are commands."""
    night = report.night
    lines = list(dict.fromkeys(f"$ {failure.command}" for failure in report.failures))[:3]
    lines += _going_on(report)
    if report.people and report.people.waiting:
        waiting = report.people.waiting
        lines += [f"{_count(waiting, 'row')} {'waits' if waiting == 1 else 'wait'} for a person:"]
        lines += [f"$ nightschool review {night.name}{night.where}"]
    lines += times_view.slow(report.times)
    if (spot := report.spot_check) and spot.bad and spot.bad.value:
        lines.append(f"Spot check: {spotted(spot)}: try {advice('spot_check', recipe)}.")
    for gate in report.gates:
        if not gate.passed and gate.value is not None:
            lines.append(f"Gate {gate.name}: try {advice(gate.metric, recipe)}.")
    lines += [
        f"Class shares of {plain(found.field)}: mend them with balance.by: [{found.field}], or filter less."
        for found in report.shares
        if found.warning and not found.mended
    ]
    lines += [*filter(None, (one.told for one in report.lessons)), *(one.told for one in report.shortcuts if one.warns)]
    if (both := report.contamination) and both.same:
        lines.append(f"{_count(both.same, 'held-out question')} of {both.held_out:,} had been taught: leave them out.")
    if guess := unbeaten(report):
        reached, name = report.stages[-1], guess[0]
        lines.append(
            f"{reached.name} is at {counted(reached.accuracy)}, {name} at {counted(guess[1])}: "
            f"{leaning(report.said, reached.name) or 'look at its answers before its accuracy'}."
        )
    last = report.stages[-1] if len(report.stages) > 1 else None
    if last and last.gain and not last.gain.significant and not guess:
        lines.append(
            f"{last.name} is not measurably different from {last.gain.over} (the interval of the difference holds "
            "zero): serve whichever is cheaper, or ask more questions."
        )
    if report.night.outcome == "passed" and night.student:
        what = "is no better than guessing" if guess else "is ready to be served"
        lines.append(f"The student {what}: {night.student}")
    return (*lines, *export(report)) or ("Nothing is left to do.",)


def _going_on(report: Report) -> list[str]:
    night = report.night
    if not night.command or report.halted:
        return []
    if night.stopped_in:
        told = f"The night goes on in {plain(night.stopped_in)}; finished chunks are not asked again:"
        return [told, f"$ {night.command}"]
    return [f"The night goes on behind {plain(night.until)}:", f"$ {night.command}"] if night.until else []


def _limited(report: Report, gates: Sequence[Gate]) -> LatencyTimes | None:
    times = report.latency
    limits = [gate.at_most for gate in gates if gate.metric.startswith("latency") and gate.at_most is not None]
    if times is None or times.limit_s is not None or not limits:
        return times
    return times.model_copy(update={"limit_s": min(limits)})


def _outcome(report: Report) -> Outcome:
    if report.night.stopped_in or report.night.until:
        return "stopped"
    return "failed" if any(gate.fails for gate in report.gates) else "passed"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _made(report: Report) -> list[str]:
    """What came of the student, of the teachers alone, and of an ensemble."""
    parts = [_students(report)] if report.stages else []
    parts += [_answered(report)] if report.answered and not report.night.learns else []
    return [*parts, *([f"ensemble {ensemble.line(report.ensemble)}"] if report.ensemble else [])]


def _answered(report: Report) -> str:
    asked = next((step.total for step in report.funnel if step.step == "asked"), 0)
    by = ", ".join(f"{one.teacher} {one.rows:,}" for one in report.answered)
    shares = {one.name: one.right for one in report.marks.teachers} if report.marks else {}
    right = ", ".join(f"{name} {short_of(share)}" for name, share in shares.items() if share)
    right = f"; right: {right}{beside(report.marks.baselines)} (95% intervals)" if right and report.marks else ""
    return f"{_count(asked, 'question')}, answered: {by}{right}"


def _students(report: Report) -> str:
    """Every stage and every step between two; n once where it is that of all."""
    first, *later = report.stages
    sizes = {stage.accuracy.n for stage in report.stages}
    share = short if len(sizes) == 1 else short_of
    text = f"Student {share(first.accuracy)}" + ("" if later else f" ({first.name})")
    for place, stage in enumerate(later):
        text += f" -> {share(stage.accuracy)} after {stage.name}"
        if gain := stage.gain:
            unit, doubt = "" if place else " points", "" if gain.significant else ", not significant"
            text += f" ({points(gain.value)}{unit} [{points(gain.low)}, {points(gain.high)}]{doubt})"
    size = f", n {first.accuracy.n:,}" if len(sizes) == 1 else ""
    return f"{text}{size} (95% intervals){beside(report.baselines)}"
