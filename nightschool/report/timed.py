"""From timed requests to figures: how long each part takes in each company, and whether a contest's limits are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from nightschool.recipe.timing import Terms, TimedKind
from nightschool.records import Dropped
from nightschool.report.grid import SEED
from nightschool.report.proof import Estimate
from nightschool.report.times import Held, OverLimit, Spread, Target, Times, WayTimes
from nightschool.resampling import bootstrap_mean
from nightschool.statistics import quantiles, wilson
from nightschool.timing import Pass, Timed


def measure_times(
    of: TimedKind,
    stage: str,
    order: Sequence[Pass],
    rows: Sequence[Timed],
    lost: Sequence[Dropped],
    *,
    totals_s: dict[str, float],
    contest: str = "",
    terms: Terms | None = None,
) -> Times:
    """The figures of one chunk of timing.

    Args:
        order: the passes that were made.
        totals_s: from each one's first request to its last byte, by its name.
        terms: how long the contest allows, where there is one.
    """
    ways: list[WayTimes] = []
    over: list[OverLimit] = []
    for one in order:
        mine = [row for row in rows if row.id.startswith(f"{one.name}/")]
        gone = [row for row in lost if row.id.startswith(f"{one.name}/")]
        ways.append(_way(one, mine, len(gone), totals_s.get(one.name, 0.0)))
        over += _over(ways[-1], mine, gone, terms) if terms and one.way != "plain" else []
    first = ways[0] if ways else None
    held = _held(first, rows, order[0].name, contest, terms) if terms and first and first.e2el else None
    return Times(of=of, stage=stage, ways=tuple(ways), held=held, over=tuple(over))


def spread(seconds_R: Sequence[Sequence[float]]) -> Spread | None:
    """Mean and quantiles of all times of all requests, each of which may have several; None of nothing.

    Times of one request are alike, and the request is the unit: the mean m of all has the interval of the requests'
    m + (s - m k) / K, for the sum s of a request's k times and the mean K of all k. With one time each that is it.

    Source: Cochran 1977, Sampling Techniques, section 2.11 (ratio estimate, linearised).
    """
    some = [times for times in seconds_R if times]
    seconds = [one for times in some for one in times]
    if not seconds:
        return None
    mean, each = fmean(seconds), len(seconds) / len(some)
    _, low, high = bootstrap_mean([mean + (sum(times) - mean * len(times)) / each for times in some], seed=SEED)
    p50, p95, p99 = quantiles(seconds)
    return Spread(mean=mean, mean_low=max(0.0, low), mean_high=high, n=len(seconds), p50=p50, p95=p95, p99=p99,
                  max=max(seconds))  # fmt: skip


def _way(one: Pass, rows: Sequence[Timed], lost: int, total_s: float) -> WayTimes:
    each = [(row.e2el_s - row.ttft_s) / (row.tokens_out - 1) for row in rows
            if row.ttft_s is not None and row.tokens_out > 1]  # fmt: skip
    return WayTimes(
        way=one.way,
        warm=one.warm,
        batch_size=one.batch_size,
        n=len(rows),
        lost=lost,
        draft=spread([(row.draft_s,) for row in rows if row.draft_s is not None]),
        ttft=spread([(row.ttft_s,) for row in rows if row.ttft_s is not None]),
        itl=spread([row.itl_s for row in rows]),
        tpot=spread([(one,) for one in each]),
        e2el=spread([(row.e2el_s,) for row in rows]),
        total_s=total_s,
        tokens_in=sum(row.tokens_in for row in rows),
        tokens_out=sum(row.tokens_out for row in rows),
    )


def _over(way: WayTimes, rows: Sequence[Timed], lost: Sequence[Dropped], terms: Terms) -> Iterator[OverLimit]:
    for row in sorted(rows, key=lambda row: -row.e2el_s):
        if row.e2el_s >= terms.each_s:
            yield OverLimit(id=_asked(row.id), way=way.name, seconds=row.e2el_s, tokens_out=row.tokens_out)
    for row in lost:
        yield OverLimit(id=_asked(row.id), way=way.name, seconds=None, tokens_out=0)


def _asked(row_id: str) -> str:
    return row_id.partition("/")[2]


def _held(way: WayTimes, rows: Sequence[Timed], name: str, contest: str, terms: Terms) -> Held:
    assert way.e2el is not None
    mine = [row.e2el_s for row in rows if row.id.startswith(f"{name}/")]
    asked, late = way.n + way.lost, sum(seconds >= terms.each_s for seconds in mine) + way.lost
    low, high = wilson(late, asked)
    mean, mean_low, mean_high = bootstrap_mean(mine, seed=SEED)
    return Held(
        contest=contest,
        batch_size=way.batch_size,
        n=asked,
        wanted=terms.rows,
        mean_s=mean,
        mean_low_s=mean_low,
        mean_high_s=mean_high,
        mean_limit_s=terms.mean_s,
        p99_s=way.e2el.p99,
        each_limit_s=terms.each_s,
        total_s=way.total_s * terms.rows / asked,
        total_limit_s=terms.total_s,
        late=Estimate(value=late / asked, low=low, high=high, n=asked),
        lost=way.lost,
        targets=tuple(Target(by=by, mean_s=at, met=mean < at) for by, at in terms.targets_s.items()),
    )
