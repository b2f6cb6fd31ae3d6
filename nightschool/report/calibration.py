"""From answers under several sampling seeds to how sure the student is, beside how often it is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from nightschool.records import Measured
from nightschool.report.proof import Estimate
from nightschool.report.stage import Calibration, SureLevel
from nightschool.statistics import bounded_mean, ragged_share


def calibration(rows: Sequence[Measured]) -> Calibration | None:
    """How sure an answer is, told by the other seeds; None where no question has two readable answers.

    An answer's confidence is the share of its question's other readable answers that say the same. Where a student's
    answers are drawn as the truth is (calibrated), its mean is the accuracy, whatever the number of seeds: the gap is
    then zero. That is so of the whole and not of each level, whose few draws are either side of what the student means.

    Source: Kadavath et al. 2022, arXiv 2207.05221, section 3, for answers that are sampled; the gap is that of Guo et
    al. 2017, arXiv 1706.04599, over one bin, which has no bias.
    """
    by_question: dict[str, list[Measured]] = defaultdict(list)
    for row in rows:
        if row.value is not None:
            by_question[row.question].append(row)
    several = {name: found for name, found in by_question.items() if len(found) > 1}
    if not several:
        return None
    sure = {row.id: share for found in several.values() for row, share in zip(found, _sure(found), strict=True)}
    gaps = [sum(sure[row.id] - row.right for row in found) / len(found) for found in several.values()]
    gap, low, high = bounded_mean(gaps)
    mean, least, most = _mean_share([sum(sure[row.id] for row in found) / len(found) for found in several.values()])
    counted = [row for found in several.values() for row in found]
    return Calibration(
        questions=len(several),
        confidence=mean,
        sure=Estimate(value=mean, low=least, high=most, n=len(several)),
        gap=gap,
        low=low,
        high=high,
        levels=tuple(_level(share, counted, sure) for share in sorted(set(sure.values()))),
    )


def _mean_share(shares_Q: Sequence[float]) -> tuple[float, float, float]:
    """As `bounded_mean`, whose values are from -1 to 1."""
    value, low, high = ((end + 1) / 2 for end in bounded_mean([2 * share - 1 for share in shares_Q]))
    return value, low, high


def _sure(found: Sequence[Measured]) -> list[float]:
    same = Counter(row.value for row in found)
    return [(same[row.value] - 1) / (len(found) - 1) for row in found]


def _level(share: float, rows: Sequence[Measured], sure: dict[str, float]) -> SureLevel:
    asked, right = Counter[str](), Counter[str]()
    for row in rows:
        if sure[row.id] == share:
            asked[row.question] += 1
            right[row.question] += row.right
    value, low, high = ragged_share(
        len(asked),
        asked.total(),
        right.total(),
        aa=sum(count * count for count in asked.values()),
        ra=sum(right[name] * count for name, count in asked.items()),
        rr=sum(count * count for count in right.values()),
    )
    return SureLevel(sure=share, right=Estimate(value=value, low=low, high=high, n=asked.total()))
