"""From who disagrees with preference pairs to those that are left out of a loss."""

from __future__ import annotations

from collections.abc import Mapping


def most_doubted(gaps: Mapping[str, float], share: float, votes: Mapping[str, float] | None = None) -> list[str]:
    """The `share` of the pairs that somebody disagrees with most, the worst first; ties by name.

    Args:
        gaps: by pair, how much more the policy believes in the chosen side than its reference does, in nats; the
            smaller, the more the model disagrees.
        votes: by pair, the share of teachers who voted against its chosen side: they go first, and the model speaks
            only where they are as many.

    Source: plan 002, "Dr-DPO: Drop top 15% noisy pairs by disagreement score", which leaves the score open; the paper
    of that name (arXiv 2407.07880) drops nothing, and weighs.
    """
    against = votes or {}
    order = sorted(gaps, key=lambda name: (-against.get(name, 0.0), gaps[name], name))
    return order[: int(share * len(order))]
