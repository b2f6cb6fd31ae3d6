"""From two figures of other rows to their difference with its interval."""

from __future__ import annotations

import math

from nightschool.report.proof import Estimate, Gain


def apart(over: str, before: Estimate, after: Estimate) -> Gain:
    """after - before where no row is common to both, so that nothing can be paired; without an exact p.

    low = d - sqrt((after - after.low)^2 + (before.high - before)^2), and high likewise; for Wilson's intervals that is
    Newcombe's. The intervals may know that answers to one question are alike: then so does the difference.

    Source: Newcombe 1998, Statistics in Medicine 17:873, method 10; Zou & Donner 2008, ibid. 27:1693, for any interval.
    """
    value = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Gain(over=over, value=value, low=value - down, high=value + up)
