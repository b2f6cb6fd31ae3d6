"""From rows with shares of attribution to their means, own draft against another's, with intervals over questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from nightschool.report.ablated import Attribution
from nightschool.report.grid import SEED, estimate
from nightschool.report.proof import Estimate, Gain
from nightschool.resampling import bootstrap_mean
from nightschool.training.attribute_job import Attributed


def measure_attribution(rows: Sequence[Attributed]) -> Attribution | None:
    """Of one stage; None where no row has a share.

    The question is the unit: the difference is of the same questions' own and shuffled drafts.

    Source: plan 002, "Integrated-gradients mass on draft tokens, >= 20%", which means nothing beside drafts that are
    40% of the tokens.
    """
    found = {of: {row.id: row for row in rows if row.of == of and row.lost is None} for of in ("own", "shuffled")}
    own, shuffled = found["own"], found["shuffled"]
    if not own:
        return None
    tried = [row for row in rows if row.lost in (None, "incomplete")]
    whole = [row for row in tried if row.lost is None]
    both = [(own[name].share, shuffled[name].share) for name in own if name in shuffled]
    return Attribution(
        questions=len(own),
        own=_mean([row.share for row in own.values()]),
        shuffled=_mean([row.share for row in shuffled.values()]) if shuffled else None,
        tokens=(words := _mean([row.tokens for row in own.values()])).value,
        words=words,
        apart=_apart(both) if both else None,
        complete=estimate(np.array([row.lost is None for row in tried], dtype=float)),
        worst=max(row.error for row in whole),
        steps=max(row.steps for row in whole),
        lost=dict(Counter(row.lost for row in rows if row.lost).most_common()),
    )


def _mean(shares: Sequence[float]) -> Estimate:
    value, low, high = bootstrap_mean(shares, seed=SEED)
    return Estimate(value=value, low=low, high=min(1.0, high), n=len(shares))


def _apart(shares: Sequence[tuple[float, float]]) -> Gain:
    value, low, high = bootstrap_mean([own - other for own, other in shares], seed=SEED)
    # Of two or three questions Student's interval is wider than two shares can be apart.
    return Gain(over="another question's draft", value=value, low=max(-1.0, low), high=min(1.0, high), n=len(shares))
