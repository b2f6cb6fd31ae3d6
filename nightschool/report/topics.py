"""Which topics a page has room for: a file's field may name thousands of them."""

from __future__ import annotations

from collections.abc import Mapping

MOST_TOPICS = 12


def largest(counts: Mapping[str, int], most: int = MOST_TOPICS) -> list[str]:
    """The topics with the most rows, by name; of equals the first by name."""
    return sorted(sorted(counts, key=lambda topic: (-counts[topic], topic))[:most])


def left_out(topics: int, most: int = MOST_TOPICS) -> str:
    """What a caption says where some are not shown, and nothing else."""
    return f" The {most} largest of {topics:,} topics." if topics > most else ""
