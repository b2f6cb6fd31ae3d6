"""From counted critiques to the part of the report that shows how right and wrong are shared among them."""

from __future__ import annotations

from typing import Any

from nightschool.report.proof import Critiques
from nightschool.report.tables import Table
from nightschool.report.text import percent


def told(found: Critiques) -> str:
    """ "40 critiques (50.0% right) of 12 questions; 30 questions gave none"."""
    right, total = _sums(found)
    none = sum(found.dropped.values())
    share = f" ({percent(right / total)} right)" if total else ""
    return f"{total:,} critiques{share} of {found.questions:,} questions; {none:,} questions gave none"


def critiques_table(found: Critiques) -> Table:
    """One row a teacher, and all of them."""
    counts = [(name, each.get("right", 0), each.get("wrong", 0)) for name, each in found.judgements.items()]
    right, total = _sums(found)
    return ["", "right", "wrong", "right of these"], [
        [name, f"{ours:,}", f"{theirs:,}", percent(ours / (ours + theirs)) if ours + theirs else ""]
        for name, ours, theirs in (*counts, ("all", right, total - right))
    ]


def view(found: Critiques | None) -> dict[str, Any]:
    """Tables, by the names that the template uses."""
    if found is None:
        return {"critiques_table": None}
    return {
        "critiques_words": told(found),
        "critiques_table": critiques_table(found),
        "critiques_shares": _counted("questions that gave", found.per_question),
        "critiques_lost": _counted("questions without, solutions left out", found.dropped | found.left_out),
    }


def _counted(title: str, counts: dict[str, int]) -> Table:
    return [title, "how many"], [[name.replace("_", " "), f"{count:,}"] for name, count in counts.items()]


def _sums(found: Critiques) -> tuple[int, int]:
    """Right ones, and all."""
    judged = [each.get(name, 0) for name in ("right", "wrong") for each in found.judgements.values()]
    return sum(each.get("right", 0) for each in found.judgements.values()), sum(judged)
