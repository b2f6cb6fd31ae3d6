"""From figures to words: did it work, what broke, what next; one line, and a small table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from nightschool.gates import judge, limit_shown, shown
from nightschool.recipe.learning import Gate
from nightschool.report.critiques import told
from nightschool.report.figures import LatencyTimes, Outcome, Packed, Report
from nightschool.report.guessing import leaning
from nightschool.report.kept import export, kept
from nightschool.report.people import reviewed
from nightschool.report.proof import Estimate, Stage
from nightschool.report.rounds import loops
from nightschool.report.text import duration, percent, plain, points, size

_ADVICE = {
    "accuracy": "more rows (pool.per_topic), more epochs, or a stronger teacher",
    "accuracy_gain": "more rows (pool.per_topic), more epochs, or more seeds (validate.seeds) for a narrower interval",
    "valid_share": "read the sample rows: is the answer format in the prompt, and is max_tokens enough?",
    "latency_mean_s": "a smaller student.max_tokens, or a faster engine",
    "latency_p99_s": "a smaller student.max_tokens, or a faster engine",
    "vote_gain": "teachers that differ more, answers.samples above 1, or a higher min_agreement",
    "class_skew": "balance.by with the field that is off, or balance.method: upsample",
    "filter_skew": "a filter that drops less, or a weight for what it drops (filters.NAME.weight)",
    "committee_gain": "teachers that differ more, answers.samples above 1, or a higher min_agreement",
}


def conclude(report: Report, gates: Sequence[Gate]) -> Report:
    """The same report with its gates judged, its outcome, its verdict and what to do next.

    Timed answers that have no limit yet get the strictest one that a gate sets on latency.
    """
    judged = report.model_copy(
        update={"gates": tuple(judge(gate, report) for gate in gates), "latency": _limited(report, gates)}
    )
    outcome = _outcome(judged)
    night = judged.night.model_copy(update={"outcome": outcome})
    judged = judged.model_copy(update={"night": night})
    night = night.model_copy(update={"verdict": verdict_line(judged)})
    return judged.model_copy(update={"night": night, "what_next": what_next(judged)})


def headline(report: Report) -> str:
    """The shortest true answer to "did it work?"."""
    if report.night.stopped_in:
        return f"The night stopped in {plain(report.night.stopped_in)}"
    failed = sum(not gate.passed for gate in report.gates)
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
    name, found = max(report.baselines.items(), key=lambda item: item[1].value)
    return (plain(name), found) if report.stages[-1].accuracy.low <= found.value else None


def verdict_line(report: Report) -> str:
    """All in one line: "Student 48.2% -> 70.1% (+21.9 points, 95% interval ...) after sft; all 6 gates passed"."""
    parts = [_students(report.stages)] if report.stages else []
    if report.answered and not report.night.learns:
        parts.append(_answered(report))
    if report.night.stopped_in:
        parts.append(f"stopped in {plain(report.night.stopped_in)}")
    failed = [gate.name for gate in report.gates if not gate.passed and gate.value is not None]
    unknown = sum(gate.value is None for gate in report.gates)
    if failed:
        parts.append(f"{len(failed)} of {len(report.gates)} gates failed: {', '.join(failed)}")
    if unknown:
        parts.append(f"{_count(unknown, 'gate')} could not be measured")
    if report.gates and not failed and not unknown:
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


def what_next(report: Report) -> tuple[str, ...]:
    """What to do in the morning, most urgent first; lines that begin with "$ " are commands."""
    night = report.night
    lines = list(dict.fromkeys(f"$ {failure.command}" for failure in report.failures))[:3]
    if night.stopped_in and night.command:
        lines += [f"The night goes on in {plain(night.stopped_in)}; finished chunks are not asked again:"]
        lines += [f"$ {night.command}"]
    if report.people and report.people.waiting:
        waiting = report.people.waiting
        lines += [f"{_count(waiting, 'row')} {'waits' if waiting == 1 else 'wait'} for a person:"]
        lines += [f"$ nightschool review {night.name}{night.where}"]
    for gate in report.gates:
        if not gate.passed and gate.value is not None:
            lines.append(f"Gate {gate.name}: try {_ADVICE.get(gate.metric, 'a look at the figures below')}.")
    lines += [
        f"Class shares of {plain(found.field)}: mend them with balance.by: [{found.field}], or filter less."
        for found in report.shares
        if found.warning and not found.mended
    ]
    lines += [*filter(None, (one.told for one in report.lessons)), *(one.told for one in report.shortcuts if one.warns)]
    if guess := unbeaten(report):
        reached, name = report.stages[-1], guess[0]
        lines.append(
            f"{reached.name} is at {percent(reached.accuracy.value)}, {name} at {percent(guess[1].value)}: "
            f"{leaning(report.said, reached.name) or 'look at its answers before its accuracy'}."
        )
    last = report.stages[-1] if len(report.stages) > 1 else None
    if last and last.gain and not last.gain.significant:
        lines.append(
            f"{last.name} is not measurably different from {last.gain.over} (the interval of the difference holds "
            "zero): serve whichever is cheaper, or ask more questions."
        )
    if report.night.outcome == "passed" and night.student:
        lines.append(f"The student is ready to be served: {night.student}")
    return (*lines, *export(report)) or ("Nothing is left to do.",)


def summary_lines(report: Report) -> list[str]:
    """The night for a terminal: stages, committee, requests, gates, what next; plain text, 100 columns at most."""
    lines = [report.night.verdict or verdict_line(report), *stale(report), ""]
    lines += [_stage_line(stage) for stage in report.stages]
    lines += [f"  rounds     {line}" for line in loops(report.rounds)]
    if report.committee:
        found = report.committee
        lines.append(
            f"  committee  {percent(found.accuracy):>6} right on {found.rows:,} rows; "
            f"best teacher {found.best_teacher} {percent(found.best_teacher_accuracy)} on the same rows"
        )
    lines += [f"  people     {reviewed(report.people)}"] if report.people else []
    lines += [
        f"  {'classes' if found.mended else 'WARNING':<10} {found.warning}" for found in report.shares if found.warning
    ]
    lines += [
        f"  {one.name:<10} {percent(one.right.value):>6} right ({percent(one.right.low)} to {percent(one.right.high)}, "
        f"n {one.right.n:,})"
        for one in (report.marks.teachers if report.marks else ())
        if one.right
    ]
    lines += [f"  rows       {came_through}"] if (came_through := kept(report)) else []
    lines += [f"  critiques  {told(report.critiques)}"] if report.critiques else []
    asked = report.requests
    money = "".join(f", {money:,.2f} spent on {model}" for model, money in asked.spent.items())
    lines.append(f"  requests   {asked.sent:,} sent, {asked.reused:,} reused, {asked.failed:,} failed{money}")
    lines += _remade(report)
    lines += [f"  server     {found}" for found in report.restarts[-3:]]
    lines += [f"  package    {one.folder} ({packed(one)})" for one in report.packages]
    lines += [f"  WARNING    {line.replace('**', '')}" for one in report.packages[:1] for line in one.warnings]
    spent = sum(phase.seconds for phase in report.phases)
    slowest = sorted(report.phases, key=lambda phase: -phase.seconds)[:3]
    longest = ", ".join(f"{plain(phase.name)} {duration(phase.seconds)}" for phase in slowest)
    lines += [f"  time       {duration(spent)}{f': {longest}' if longest else ''}", ""]
    for gate in report.gates:
        value = "not measured" if gate.value is None else shown(gate.metric, gate.value)
        limit = f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)}"
        lines.append(f"  {'pass' if gate.passed else 'FAIL'}  {gate.name:<24} {value:>14}  {limit} by {gate.by}")
    return [*lines, *([""] if report.gates else []), *(f"  {line}" for line in report.what_next)]


def packed(one: Packed) -> str:
    """What a package holds, in a few words: "adapter and card, 0.5 MiB, zip beside it"."""
    beside = ", zip beside it" if one.zip else ""
    return f"{', '.join(one.forms)} and card, {size(one.bytes)}{beside}"


def _remade(report: Report) -> list[str]:
    lines = [f"  made anew  {found}" for found in report.remade[:3]]
    more = len(report.remade) - len(lines)
    return [*lines, f"  made anew  and {more} more, whose files were damaged too"] if more else lines


def _limited(report: Report, gates: Sequence[Gate]) -> LatencyTimes | None:
    times = report.latency
    limits = [gate.at_most for gate in gates if gate.metric.startswith("latency") and gate.at_most is not None]
    if times is None or times.limit_s is not None or not limits:
        return times
    return times.model_copy(update={"limit_s": min(limits)})


def _outcome(report: Report) -> Outcome:
    if report.night.stopped_in:
        return "stopped"
    return "passed" if all(gate.passed for gate in report.gates) else "failed"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _answered(report: Report) -> str:
    asked = next((step.total for step in report.funnel if step.step == "asked"), 0)
    by = ", ".join(f"{one.teacher} {one.rows:,}" for one in report.answered)
    shares = {one.name: one.right for one in report.marks.teachers} if report.marks else {}
    right = ", ".join(f"{name} {percent(share.value)}" for name, share in shares.items() if share)
    return f"{_count(asked, 'question')}, answered: {by}{f'; right: {right}' if right else ''}"


def _students(stages: Sequence[Stage]) -> str:
    text = f"Student {percent(stages[0].accuracy.value)}"
    if len(stages) == 1:
        return f"{text} ({stages[0].name})"
    for place, stage in enumerate(stages[1:]):
        text += f" -> {percent(stage.accuracy.value)} after {stage.name}"
        if stage.gain:
            gain = stage.gain
            unit, called = (" points", "95% interval ") if place == 0 else ("", "")
            text += f" ({points(gain.value)}{unit}, {called}{points(gain.low)} to {points(gain.high)})"
    return text


def _stage_line(stage: Stage) -> str:
    found = stage.accuracy
    interval = f"({percent(found.low)} to {percent(found.high)}, n {found.n:,})"
    line = f"  {stage.name:<10} {percent(found.value):>6} {interval}  valid {percent(stage.valid_share)}"
    return f"{line}  {duration(stage.latency.mean_s)} per answer" if stage.latency else line
