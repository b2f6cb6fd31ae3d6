"""From what differs between two nights to its headline, its sentences and its tables."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from nightschool.gates import interval, limit_shown, shown
from nightschool.recipe.differences import Difference
from nightschool.report.comparison import Comparison, GateChange, StageChange, Step
from nightschool.report.estimates import beside, best_guess, counted, guessed, short_of, taking
from nightschool.report.proof import Gain, GateResult
from nightschool.report.student import verdict
from nightschool.report.tables import Table
from nightschool.report.text import clean, duration, plain, points, probability, size, visible

_NONE = "\N{EN DASH}"
_MOST_CHARS = 60
_MOST_REASONS = 3
_MOST_LINES = 40


def headline(found: Comparison) -> str:
    """The shortest true answer to "which student is better?"."""
    if not found.stages:
        return "Nothing to compare of a student"
    gain = found.stages[-1].right.gain
    if not gain.significant:
        return "No significant difference between the students"
    better = found.second if gain.value > 0 else found.first
    return f"The student of {better.night} is better"


def tables(found: Comparison) -> dict[str, Table]:
    """Every table that has rows, by its title."""
    made = {
        "recipe": recipe_table(found), "beside the recipe": around_table(found), "rows": funnel_table(found),
        "stages": stage_table(found), "gates": gates_table(found), "time": times_table(found),
        "requests": counts_table(found),
    }  # fmt: skip
    return {title: (head, rows) for title, (head, rows) in made.items() if rows}


def lede(found: Comparison) -> str:
    """In a few words: the last stages, what decides otherwise, gates that turned, time."""
    parts = [_told(found.stages[-1]) + _guessing(found)] if found.stages else []
    decided = sum(one.decides for one in found.recipe)
    verbs = ("decides", "differs") if decided == 1 else ("decide", "differ")
    parts.append(f"{_count(decided, 'field')} that {verbs[0]} the result {verbs[1]}")
    for sign, words in ((-1, "no longer"), (1, "now")):
        if names := [gate.name for gate in found.gates if gate.turned == sign]:
            parts.append(f"{_count(len(names), 'gate')} {'hold' if len(names) > 1 else 'holds'} {words}: "
                         f"{', '.join(names)}")  # fmt: skip
    return "; ".join(parts)


def _told(one: StageChange) -> str:
    share, gain = one.right, one.right.gain
    p = f", p {probability(gain.p)}" if gain.p is not None else ""
    return (
        f"{one.name} {short_of(share.before)} -> {short_of(share.after)} ({points(gain.value)} points "
        f"[{points(gain.low)}, {points(gain.high)}]{p}; 95% intervals; {one.on})"
    )


def _guessing(found: Comparison) -> str:
    """What always the commonest answer reaches, on both sides where they were asked otherwise."""
    sides = {side: best_guess(found.baselines.get(side, {})) for side in ("first", "second")}
    before, after = sides["first"], sides["second"]
    if before is None or after is None or before == after:
        return beside(found.baselines.get("second" if after else "first", {}))
    return f", where {before[0]} reached {short_of(before[1])} and {after[0]} {short_of(after[1])}"


def recipe_table(found: Comparison) -> Table:
    """Every field that differs, and what it decides."""
    rows = [[one.field, _value(one.before), _value(one.after), "yes" if one.decides else "no"]
            for one in found.recipe]  # fmt: skip
    return ["field", found.first.night, found.second.night, "decides the result"], rows


def texts(found: Comparison) -> list[tuple[str, list[tuple[str, str]]]]:
    """Texts that differ, line by line: each with what became of it, "gone", "new" or "" for a line that stayed."""
    return [(one.field, list(_lines(one))) for one in found.recipe if _is_text(one)]


def _lines(one: Difference) -> Iterator[tuple[str, str]]:
    before, after = (visible(str(each or "")).splitlines() for each in (one.before, one.after))
    told = {"-": "gone", "+": "new", " ": ""}
    lines = [line for line in difflib.ndiff(before, after) if line[:1] in told]
    for line in lines[:_MOST_LINES]:
        yield told[line[0]], line[2:][: _MOST_CHARS * 4]
    if len(lines) > _MOST_LINES:
        yield "", f"({len(lines) - _MOST_LINES} more lines)"


def around_table(found: Comparison) -> Table:
    """Versions, engines and machines that differ."""
    rows = [[plain(one.name), visible(one.before or _NONE), visible(one.after or _NONE)] for one in found.around]
    return ["", found.first.night, found.second.night], rows


def funnel_table(found: Comparison) -> Table:
    """Rows left after each step, and the reasons that drop otherwise."""
    rows = [[plain(one.step), _number(one.before), _number(one.after), _change(one.before, one.after), _reasons(one)]
            for one in found.funnel]  # fmt: skip
    return ["step", found.first.night, found.second.night, "change", "dropped otherwise"], rows


def stage_table(found: Comparison) -> Table:
    """Right and readable answers of each stage, with what the difference says; then what guessing reaches."""
    rows = [
        [name, counted(share.before), counted(share.after), points(share.gain.value),
         _interval(share.gain), probability(share.gain.p), verdict(share.gain), one.on]
        for one in found.stages
        for name, share in ((one.name, one.right), (f"{one.name}: readable", one.readable))
    ]  # fmt: skip
    sides = [dict(guessed(found.baselines.get(side, {}))) for side in ("first", "second")]
    names = dict.fromkeys([*sides[0], *sides[1]]) if rows else {}
    rows += [[name, *(counted(side.get(name)) for side in sides), "", "", "", "", "guessing"] for name in names]
    return ["stage", found.first.night, found.second.night, "points", "95% interval", "p", "so", "rows"], rows


def alone(found: Comparison) -> list[str]:
    """Stages that one night has and the other has not."""
    nights = {"first": found.first.night, "second": found.second.night}
    return [f"Only {nights[side]} has {', '.join(names)}." for side, names in found.alone.items() if names]


def gates_table(found: Comparison) -> Table:
    """Each gate in both nights, and what became of it."""
    rows = [[gate.name, _gate(gate.before), _gate(gate.after), _turn(gate)] for gate in found.gates]
    return ["gate", found.first.night, found.second.night, ""], rows


def times_table(found: Comparison) -> Table:
    """Seconds of each phase, in all, and for an answer of the last stage."""
    rows = [
        [plain(one.phase), _seconds(one.before), _seconds(one.after), _apart(one.before, one.after),
         f"from the store in {' and '.join(one.cached)}" if one.cached else ""]
        for one in found.times
    ]  # fmt: skip
    if found.times:
        sums = [sum(seconds or 0 for seconds in column)
                for column in zip(*((one.before, one.after) for one in found.times), strict=True)]  # fmt: skip
        rows.append(["in all", *map(duration, sums), _apart(*sums), ""])
    if mean := found.latency:
        sure = f"95% interval {_signed(mean.low)} to {_signed(mean.high)}"
        each = [f"{taking(one.mean_s, one.mean_low_s, one.mean_high_s)}, n {one.n:,}" for one in mean.sides or ()]
        sides = each or [duration(mean.before), duration(mean.after)]
        rows.append(["an answer", *sides, _signed(mean.value), sure])
    return ["phase", found.first.night, found.second.night, "change", ""], rows


def counts_table(found: Comparison) -> Table:
    """Requests, tokens, money and memory."""
    rows = [[plain(name).replace(" bytes", " of memory"), *(_counted(name, one) for one in pair)]
            for name, pair in found.counts.items()]  # fmt: skip
    return ["", found.first.night, found.second.night], rows


def _counted(name: str, value: float) -> str:
    return size(value) if name.endswith("bytes") else f"{value:,.2f}" if name == "spent" else f"{value:,.0f}"


def _is_text(one: Difference) -> bool:
    given = [each for each in (one.before, one.after) if each is not None]
    return all(isinstance(each, str) for each in given) and any("\n" in each or len(each) > _MOST_CHARS
                                                                for each in given)  # fmt: skip


def _value(value: Any) -> str:
    if value is None:
        return "left out"
    if isinstance(value, dict):
        told = [f"{name} {_value(one)}" for name, one in value.items() if one not in (None, "", [], {})]
        return _cut(", ".join(told))
    if isinstance(value, list):
        return _cut(", ".join(map(_value, value)) or "none")
    return str(value).lower() if isinstance(value, bool) else _cut(str(value))


def _cut(text: str) -> str:
    line = " ".join(visible(text[: 2 * _MOST_CHARS]).split())
    return line if len(line) <= _MOST_CHARS else f"{line[: _MOST_CHARS - 1]}…"


def _number(count: int | None) -> str:
    return _NONE if count is None else f"{count:,}"


def _change(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return ""
    share = f" ({100 * (after / before - 1):+.1f}%)" if before else ""
    return f"{after - before:+,}{share}".replace("-", "\N{MINUS SIGN}") if after != before else "as many"


def _reasons(step: Step) -> str:
    moved = sorted(step.dropped.items(), key=lambda one: -abs(one[1][1] - one[1][0]))
    told = [f"{clean(plain(reason))} {old:,} -> {new:,}" for reason, (old, new) in moved if old != new]
    return ", ".join(told[:_MOST_REASONS])


def _interval(gain: Gain) -> str:
    return f"{points(gain.low)} to {points(gain.high)}"


def _gate(gate: GateResult | None) -> str:
    if gate is None:
        return _NONE
    value = "not measured" if gate.value is None else shown(gate.metric, gate.value)
    wanted = f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)}"
    sure = f" ({found})" if (found := interval(gate)) else ""
    return f"{value}{sure}, {wanted}: {'holds' if gate.passed else 'fails'}"


def _turn(gate: GateChange) -> str:
    if gate.before is None or gate.after is None:
        return "new" if gate.before is None else "gone"
    words = {1: "holds now", -1: "fails now", 0: ""}[gate.turned]
    moved = "other limit" if gate.before.limit != gate.after.limit else ""
    return ", ".join(filter(None, (words, moved)))


def _seconds(seconds: float | None) -> str:
    return _NONE if seconds is None else duration(seconds)


def _apart(before: float | None, after: float | None) -> str:
    return "" if before is None or after is None else _signed(after - before)


def _signed(seconds: float) -> str:
    return f"{'+' if seconds >= 0 else chr(0x2212)}{duration(abs(seconds))}"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
