"""From a judge's verdicts to figures: who is preferred, how surely, and how much of it is place and length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from nightschool.lengths import at_equal_length
from nightschool.quality import Preferred
from nightschool.report.proof import Estimate
from nightschool.report.quality import Compared
from nightschool.statistics import clustered_share, mcnemar_exact, ragged_share

_SCORES = {"ours": 1.0, "tie": 0.5, "theirs": 0.0}


def compared(rows: Iterable[Preferred], *, ours: str, theirs: str, judge: str) -> Compared:
    """One judge's verdicts on one comparison."""
    by_pair: dict[str, list[Preferred]] = defaultdict(list)
    for row in rows:
        by_pair[row.pair].append(row)
    whole = [sorted(both, key=lambda row: row.swapped) for both in by_pair.values() if _is_read(both)]
    scores_N_2 = np.array([[_SCORES[row.better or "tie"] for row in both] for both in whole])
    score_N = scores_N_2.mean(axis=1) if whole else np.zeros(0)
    wins, losses, n = int((score_N > 0.5).sum()), int((score_N < 0.5).sum()), len(whole)
    alike = clustered_share(scores_N_2[:, 0] == scores_N_2[:, 1]) if whole else None
    even = at_equal_length(score_N, [_longer(both[0]) for both in whole]) if whole else None
    return Compared(
        ours=ours,
        theirs=theirs,
        judge=judge,
        pairs=n,
        wins=wins,
        ties=n - wins - losses,
        losses=losses,
        unread=len(by_pair) - n,
        rate=_estimate(clustered_share(scores_N_2), n) if whole else None,
        p=mcnemar_exact(losses, wins) if whole else None,
        first=_share([[_chose_first(row) for row in both if row.better != "tie"] for both in whole]),
        agree=_estimate(alike, n),
        longer=_share([[_chose_longer(row) for row in both if row.better != "tie" and _longer(row)] for both in whole]),
        even=_estimate(even, n),
    )


def _estimate(found: tuple[float, float, float] | None, n: int) -> Estimate | None:
    return Estimate(value=found[0], low=found[1], high=found[2], n=n) if found else None


def _is_read(both: Sequence[Preferred]) -> bool:
    return len(both) == 2 and all(row.better is not None for row in both)


def _longer(row: Preferred) -> int:
    return row.ours_chars - row.theirs_chars


def _chose_first(row: Preferred) -> bool:
    return (row.better == "ours") is not row.swapped


def _chose_longer(row: Preferred) -> bool:
    return (row.better == "ours") is (_longer(row) > 0)


def _share(chosen: Sequence[Sequence[bool]]) -> Estimate | None:
    """Of replies that come two to a pair at most, and are alike."""
    some = [both for both in chosen if both]
    if not some:
        return None
    n, true = [len(both) for both in some], [sum(both) for both in some]
    value, low, high = ragged_share(
        len(some), sum(n), sum(true),
        aa=sum(a * a for a in n), ra=sum(r * a for r, a in zip(true, n, strict=True)), rr=sum(r * r for r in true),
    )  # fmt: skip
    return Estimate(value=value, low=low, high=high, n=sum(n))
