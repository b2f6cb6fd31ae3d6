"""From figures of times to tables, sentences and lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nightschool.report.estimates import spoken, taking
from nightschool.report.tables import Table
from nightschool.report.text import duration
from nightschool.report.times import Held, Spread, Times, longer, single

_STATS = ("mean", "p50", "p95", "p99", "max")
_SENT = ("mean", "mean_low", "mean_high", *_STATS[1:])
_PARTS = {"draft": "its draft", "ttft": "first token", "itl": "token to token", "e2el": "whole"}
_MOST_LINES = 3


def view(times: Sequence[Times]) -> dict[str, Any]:
    """All of them, by the names that the template uses."""
    shown = [
        {
            "title": f"{one.of.capitalize()} of {one.stage}",
            "verdict": f"{verdict(one.held).capitalize()}." if one.held else "",
            "bad": bool(one.held and one.held.broken),
            "beside": beside_words(one),
            "held": held_table(one.held) if one.held else None,
            "ways": ways_table(one),
            "work": work_table(one),
            "over": over_table(one),
            "over_words": over_words(one),
        }
        for one in times
        if one.ways
    ]
    return {"times": shown}


def verdict(held: Held) -> str:
    """In time, or too slow and by which limit."""
    return f"too slow for {held.contest}: {', '.join(held.broken)}" if held.broken else f"in time for {held.contest}"


def beside_words(times: Times) -> str:
    """What our client adds, in a sentence."""
    if (found := longer(times)) is None:
        return ""
    ratio, low, high, n = found
    return (
        f"One by one and warm a request takes {ratio:.2f} times ({low:.2f} to {high:.2f}, n {n:,}) what it takes "
        "without our client: put by the standard library's, to the same server, and not streamed."
    )


def held_table(held: Held) -> Table:
    """Each limit, and each aim, beside what was measured."""
    total = "total" if held.n == held.wanted else f"total, {held.n:,} timed and reckoned to {held.wanted:,}"
    rows = [
        [
            "mean",
            taking(held.mean_s, held.mean_low_s, held.mean_high_s),
            f"under {held.mean_limit_s:g} s",
            _kept("mean" not in held.broken),
        ],
        ["p99", duration(held.p99_s), f"under {held.each_limit_s:g} s", _kept("p99" not in held.broken)],
    ]
    if held.total_limit_s is not None:
        under = f"{held.wanted:,} under {held.total_limit_s:,g} s"
        rows.append([total, duration(held.total_s), under, _kept("total" not in held.broken)])
    rows.append([f"over {held.each_limit_s:g} s", spoken(held.late), f"of {held.n:,}", ""])
    rows += [[f"aim of {one.by}", duration(held.mean_s), f"mean under {one.mean_s:g} s", "met" if one.met else "missed"]
             for one in held.targets]  # fmt: skip
    return [f"of {held.n - held.lost:,} timed", "measured (95% interval)", "limit", ""], rows


def ways_table(times: Times) -> Table:
    """A line for each part of a request in each company."""
    rows = [
        [way.name, name, _mean(found), *(_fine(getattr(found, stat)) for stat in _STATS[1:]),
         "" if found.n is None else f"{found.n:,}"]
        for way in times.ways
        for part, name in _PARTS.items()
        if (found := getattr(way, part))
    ]  # fmt: skip
    return ["how", "", "mean (95% interval)", "p50", "p95", "p99", "slowest", "n"], rows


def work_table(times: Times) -> Table:
    """What was done in each company, and in what time."""
    rows = [
        [way.name, f"{way.n + way.lost:,}", f"{way.lost:,}", f"{way.tokens_in:,}", f"{way.tokens_out:,}",
         duration(way.total_s), f"{way.tokens_out / way.total_s:,.0f}" if way.total_s else ""]
        for way in times.ways
    ]  # fmt: skip
    return ["how", "requests", "no reply", "tokens in", "tokens out", "all of them", "tokens out a second"], rows


def over_table(times: Times) -> Table:
    """Every request above the limit, the slowest first in each company."""
    rows = [
        [one.id, one.way, "no reply" if one.seconds is None else duration(one.seconds), f"{one.tokens_out:,}"]
        for one in times.over
    ]
    return ["row", "how", "took", "tokens out"], rows


def over_words(times: Times) -> str:
    """How many requests took longer than the contest allows each."""
    if not times.held:
        return ""
    asked = sum(way.n + way.lost for way in times.ways if way.way != "plain")
    return f"{len(times.over):,} of {asked:,} requests took {times.held.each_limit_s:g} s or more"


def lines(times: Sequence[Times]) -> list[str]:
    """For a terminal, of a night that was timed as a contest does."""
    found: list[str] = []
    for one in times:
        if held := one.held:
            mean = taking(held.mean_s, held.mean_low_s, held.mean_high_s)
            found.append(f"  timing     {one.of} of {one.stage}, batches of {held.batch_size}: mean {mean},")
            timed = f"n {held.n - held.lost:,}"
            found.append(f"    p99 {duration(held.p99_s)} ({timed}), {held.wanted:,} in {duration(held.total_s)}")
            found.append(f"    over {held.each_limit_s:g} s: {spoken(held.late)} of {held.n:,}; {verdict(held)}")
            found += [f"    {late.id}, {late.way}: {_took(late.seconds)}" for late in one.over[:_MOST_LINES]]
            more = len(one.over) - _MOST_LINES
            found += [f"    and {more:,} more: report.json has all"] if more > 0 else []
    alone = single(times)
    if alone and alone.draft:
        found.append(f"  timing     one by one: {_fine(alone.draft.p50)} of each answer go to its draft (median)")
    if found and alone and alone.ttft and alone.itl:
        found.append(
            f"  timing     one by one: first token after {_fine(alone.ttft.p50)}, then {_fine(alone.itl.p50)} a token "
            f"(medians, n {alone.n:,})"
        )
    return found


def slow(times: Sequence[Times]) -> list[str]:
    """Of each run that is too slow for its contest, what it may take and what it takes."""
    return [
        f"{one.of.capitalize()} of {one.stage} are {verdict(held)}: "
        f"{taking(held.mean_s, held.mean_low_s, held.mean_high_s)} on average and {duration(held.p99_s)} at p99 of "
        f"{held.n - held.lost:,}, where {held.mean_limit_s:g} s and {held.each_limit_s:g} s are the limits."
        for one in times
        if (held := one.held) and held.broken
    ]


def rows(times: Sequence[Times]) -> list[dict[str, Any]]:
    """For a table of Prefect's: a row for each company, seconds as they are."""
    return [
        {
            "of": one.of, "stage": one.stage, "how": way.name, "requests": way.n + way.lost, "lost": way.lost,
            **{f"{part}_{stat}_s": round(value, 6) for part in _PARTS if (found := getattr(way, part))
               for stat in _SENT if (value := getattr(found, stat)) is not None},
            "total_s": way.total_s, "tokens_in": way.tokens_in, "tokens_out": way.tokens_out,
            "verdict": verdict(one.held) if one.held and way is one.ways[0] else "",
        }
        for one in times
        for way in one.ways
    ]  # fmt: skip


def _mean(found: Spread) -> str:
    """A mean with its interval, where a report has one."""
    if found.mean_low is None or found.mean_high is None:
        return _fine(found.mean)
    return f"{_fine(found.mean)} ({_fine(found.mean_low)} to {_fine(found.mean_high)})"


def _took(seconds: float | None) -> str:
    return "no reply" if seconds is None else duration(seconds)


def _kept(held: bool) -> str:
    return "kept" if held else "broken"


def _fine(seconds: float) -> str:
    """As `duration`, and below a tenth of a second in milliseconds."""
    return duration(seconds) if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"
