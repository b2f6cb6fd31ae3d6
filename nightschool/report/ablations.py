"""What a draft is worth, told, tabled and drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nightschool.recipe.ablate import SHOWN
from nightschool.report.ablated import AS_IS, Ablation, Drafts
from nightschool.report.estimates import counted, gained, guessed, size_of, spoken
from nightschool.report.student import verdict
from nightschool.report.text import probability

if TYPE_CHECKING:
    from nightschool.report.figures import Report
    from nightschool.report.svg import Plot
    from nightschool.report.tables import Table

_COLUMNS = 100


def ablation_table(found: Ablation) -> Table:
    """A line for the stage as it is, one for each thing that was shown instead, and what guessing reaches."""
    rows = [[f"{AS_IS} ({found.drafter})", spoken(found.as_is), size_of(found.as_is), "", "", ""]]
    for one in found.shown:
        change = one.change
        cells = [gained(change), probability(change.p), verdict(change)] if change else ["", "", ""]
        rows.append([SHOWN[one.variant], spoken(one.right), size_of(one.right), *cells])
    rows += [[name, spoken(one), size_of(one), "", "", ""] for name, one in guessed(found.baselines)]
    return ["shown", "right (95% interval)", "n", "change in points (95% interval)", "p", "so"], rows


def lines(drafts: Sequence[Drafts], found: Sequence[Ablation]) -> list[str]:
    """For a terminal, each drafter and each variant in a line."""
    told = [line for one in drafts for line in _wrapped(f"  {'WARNING' if one.too_good else 'drafts':<10} ", one.told)]
    for ablation in found:
        told.append(f"  ablation   {ablation.told}")
        for one in ablation.shown:
            if (change := one.change) is None:
                continue
            line = f"{SHOWN[one.variant]}: {counted(one.right)}, {gained(change)} points, p {probability(change.p)}: "
            told += _wrapped("    ", f"{ablation.stage} with {line}{verdict(change)}")
        told += _wrapped("    ", ablation.attribution.told) if ablation.attribution else []
    return told


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(head + text, _COLUMNS, subsequent_indent=" " * len(head), drop_whitespace=True)


def artifact(found: Sequence[Ablation]) -> list[dict[str, Any]]:
    """The tables of all stages as one, for Prefect."""
    return [
        {"stage": ablation.stage, **dict(zip(head[:-1], row[:-1], strict=True)), "says": row[-1]}
        for ablation in found
        for head, rows in [ablation_table(ablation)]
        for row in rows
    ]


def described(found: Sequence[Ablation]) -> str:
    """What stands above that table: what each stage's figures say."""
    told = (f"{one.told} {one.attribution.told}." if one.attribution else one.told for one in found)
    return " ".join(("Is the draft used?", *told))


def view(report: Report) -> dict[str, Any]:
    """Tables and plots, by the names that the template uses."""
    return {"ablations": [(one, ablation_table(one), _plot(one)) for one in report.ablations]}


def _plot(found: Ablation) -> Plot:
    from nightschool.report.changes import changes  # matplotlib takes a second, and few nights have an ablation

    return changes(found)
