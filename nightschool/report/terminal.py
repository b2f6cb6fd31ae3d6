"""From figures to a small table for a terminal."""

from __future__ import annotations

from nightschool.gates import interval, limit_shown, shown
from nightschool.report import arena, ensemble, quality, times_view
from nightschool.report.ablations import lines as ablated
from nightschool.report.critiques import told
from nightschool.report.estimates import counted, gained, guessed, spoken, taking
from nightschool.report.figures import Report
from nightschool.report.kept import kept
from nightschool.report.packed import Packed
from nightschool.report.people import reviewed, spotted
from nightschool.report.proof import Committee, Estimate, Gain
from nightschool.report.rounds import loops
from nightschool.report.stage import Stage
from nightschool.report.student import verdict
from nightschool.report.text import duration, percent, plain, points, probability, size
from nightschool.report.verdict import stale, verdict_line

_COLUMNS = 100


def summary_lines(report: Report) -> list[str]:
    """The night for a terminal: stages, committee, requests, gates, what next; plain text, 100 columns at most."""
    lines = [report.given_up] if report.given_up else []
    lines += [report.night.verdict or verdict_line(report), *stale(report), ""]
    lines += _student_lines(report)
    if report.committee:
        found = report.committee
        lines += _committee(found)
    lines += [f"  people     {reviewed(report.people)}"] if report.people else []
    lines += [f"  spot check {spotted(found)}"] if (found := report.spot_check) and found.bad else []
    lines += [
        f"  {'classes' if found.mended else 'WARNING':<10} {found.warning}" for found in report.shares if found.warning
    ]
    lines += _marked(report)
    lines += [f"  rows       {came_through}"] if (came_through := kept(report)) else []
    lines += [f"  critiques  {told(report.critiques)}"] if report.critiques else []
    lines += [f"  arena      {line}" for line in (arena.lines(report.arena) if report.arena else ())]
    lines += [f"  quality    {line}" for line in quality.lines(report.quality)]
    lines += [f"  ensemble   {part}" for part in ensemble.line(report.ensemble).split("; ")] if report.ensemble else []
    asked = report.requests
    money = "".join(f", {money:,.2f} spent on {model}" for model, money in asked.spent.items())
    lines.append(f"  requests   {asked.sent:,} sent, {asked.reused:,} reused, {asked.failed:,} failed{money}")
    lines += _remade(report)
    lines += [f"  server     {found}" for found in report.restarts[-3:]]
    lines += [f"  package    {one.folder} ({packed(one)})" for one in report.packages]
    lines += [f"  WARNING    {line.replace('**', '')}" for one in report.packages[:1] for line in one.warnings]
    lines += times_view.lines(report.times)
    spent = sum(phase.seconds for phase in report.phases)
    slowest = sorted(report.phases, key=lambda phase: -phase.seconds)[:3]
    longest = ", ".join(f"{plain(phase.name)} {duration(phase.seconds)}" for phase in slowest)
    lines += [f"  time       {duration(spent)}{f': {longest}' if longest else ''}", ""]
    lines += _gate_lines(report)
    return [*lines, *([""] if report.gates else []), *(f"  {line}" for line in report.what_next)]


def _student_lines(report: Report) -> list[str]:
    """Stages, what guessing reaches, and every difference with what it says."""
    lines = [line for stage in report.stages for line in _stage_lines(stage)]
    if report.stages:
        lines += [f"  {plain(name):<10} {_share(found)}" for name, found in report.baselines.items()]
        lines += [f"  rounds     {line}" for line in loops(report.rounds)]
        lines += [f"  {name:<10} {one.told}" for name, one in report.evaluated.items()]
        lines += [_difference_line(stage, gain) for stage in report.stages for gain in stage.compared]
    lines += ablated(report.drafts, report.ablations)
    if both := report.contamination:
        lines.append(f"  held out   {both.same:,} of {both.held_out:,} questions had been taught, {both.near:,} nearly")
    return lines


def _marked(report: Report) -> list[str]:
    """What each teacher got right, and beside several of them what their votes did."""
    found = [(one.name, one.right) for one in (report.marks.teachers if report.marks else ())]
    votes = report.votes if len(found) > 1 else None
    found += [("the votes", votes.right)] if votes else []
    wide = max((10, *(len(name) for name, _ in found)))
    guesses = guessed(report.marks.baselines if report.marks else {}) if found else []
    found += guesses
    return [f"  {name:<{wide}} {_share(right, ' right')}" for name, right in found if right]


def _committee(found: Committee) -> list[str]:
    """Its labels beside the best teacher's and what guessing reaches, on the same rows."""
    best = next((found.alone(one) for one in found.teachers if one.name == found.best_teacher), None)
    lines = [f"  committee  {_share(found.labelled, ' right')}"]
    lines += [f"    best teacher {found.best_teacher} on the same rows: {counted(best)}"] if best else []
    if found.gain:
        p, says = probability(found.gain.p), verdict(found.gain)
        lines.append(f"    committee over {found.best_teacher}: {gained(found.gain)} points, p {p}: {says}")
    return [*lines, *(f"    {name} on them: {counted(one)}" for name, one in guessed(found.baselines))]


def _gate_lines(report: Report) -> list[str]:
    lines: list[str] = []
    wide = max((len(gate.name) for gate in report.gates), default=0)
    for gate in report.gates:
        value = "not measured" if gate.value is None else shown(gate.metric, gate.value)
        limit = f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)}"
        mark = "pass" if gate.passed else "FAIL" if gate.fails else "WARN"
        line, sure = f"  {mark}  {gate.name:<{wide}} {value:>14}  {limit} by {gate.by}", interval(gate)
        fits = len(line) + len(sure) + 2 <= _COLUMNS
        lines += [f"{line}  {sure}"] if fits else [line, *([f"        {sure}"] if sure else [])]
        lines += [f"        {gate.because}"] if gate.because else []
    return lines


def packed(one: Packed) -> str:
    """What a package holds, in a few words: "adapter and card, 0.5 MiB, zip beside it"."""
    beside = ", zip beside it" if one.zip else ""
    return f"{', '.join(one.forms)} and card, {size(one.bytes)}{beside}"


def _remade(report: Report) -> list[str]:
    lines = [f"  made anew  {found}" for found in report.remade[:3]]
    more = len(report.remade) - len(lines)
    return [*lines, f"  made anew  and {more} more, whose files were damaged too"] if more else lines


def _stage_lines(stage: Stage) -> list[str]:
    line = f"  {stage.name:<10} {_share(stage.accuracy)}  valid {spoken(stage.valid)}"
    if not (one := stage.latency):
        return [line]
    return [line, f"    {taking(one.mean_s, one.mean_low_s, one.mean_high_s)} per answer, n {one.n:,}"]


def _share(found: Estimate, said: str = "") -> str:
    return f"{percent(found.value):>6}{said} {counted(found).partition(' ')[2]}"


def _difference_line(stage: Stage, gain: Gain) -> str:
    p = f", p {probability(gain.p)}" if gain.p is not None else ""
    p += f", n {gain.n:,}" if gain.n is not None else ""
    line = f"{stage.name} over {plain(gain.over)}: {points(gain.value)} points"
    return f"    {line} ({points(gain.low)} to {points(gain.high)}{p}): {verdict(gain)}"
