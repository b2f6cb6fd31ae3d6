"""From held-out questions and those that were taught to the ones that are in both: what they prove is memory."""

from __future__ import annotations

from collections.abc import Iterable

from nightschool.normal import normal
from nightschool.report.stage import Contamination
from nightschool.sketches import Sketches, crossing

_SHOWN = 5


def contamination(
    held_out: Iterable[tuple[str, str]], taught: Iterable[tuple[str, str]], *, threshold: float
) -> Contamination:
    """Held-out questions that a student was taught, word for word or nearly; choices are left aside, as their order
    may be another.

    Args:
        held_out: id and text of each question; an id may come again.
        taught: likewise.
        threshold: least share of equal runs of three words in what is nearly the same; numbers must be equal too.

    Source: GPT-3's check of its test sets (arXiv 2005.14165, appendix C), with MinHash for its 13-grams.
    """
    held, known = dict(held_out), dict(taught)
    texts = {normal(text): name for name, text in known.items()}
    same = {name: texts[plain] for name, text in held.items() if (plain := normal(text)) in texts}
    others = Sketches((name, text) for name, text in held.items() if name not in same)
    near = crossing(Sketches(known.items()), others, threshold=threshold)
    return Contamination(
        held_out=len(held),
        taught=len(texts),
        same=len(same),
        near=len(near),
        threshold=threshold,
        first=tuple([*same.items(), *((name, twin.id) for name, twin in near.items())][:_SHOWN]),
    )
