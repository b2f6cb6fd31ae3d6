"""From a report to its tables in Markdown, part by part; whatever models wrote is text in them."""

from __future__ import annotations

import re
from typing import Any

from nightschool.gates import interval, limit_shown, shown
from nightschool.report import arena, critiques, ensemble, lessons, marks, quality, shares, student, tables, votes
from nightschool.report.figures import Report
from nightschool.report.people import spotted
from nightschool.report.tables import Table
from nightschool.report.text import duration, plain, visible

# The page's tables by part, each with its title, by the names that the page has for them.
_PARTS: dict[str, dict[str, str]] = {
    "gates": {"gates_table": "Gates"},
    "rows": {
        "funnel_table": "Rows by step and topic", "lost_table": "Why rows were dropped",
        "solver_table": "What the solver said of the questions that teachers wrote",
        "answered_table": "What each teacher answered", "marks_table": "What each teacher got right",
        "critiques_table": "Critiques by teacher", "critiques_lost": "Critiques that were not drawn",
        "spot_table": "Spot check",
    },
    "committee": {"voters_table": "Votes"},
    "student": {
        "stage_table": "Each stage", "differences_table": "Differences", "classes_table": "By class",
        "topics_table": "By topic, beside guessing", "sure_table": "Right answers by agreement among seeds",
        "unread_table": "Answers that could not be read", "ruled_table": "Beside the committee",
        "rounds_table": "Round by round", "lessons_table": "What was learned from",
        "shortcuts_table": "Pairs won unread",
    },
    "arena": {"arena_table": "Players", "arena_matches": "Matches", "arena_writers": "Questions by writer"},
    "quality": {"quality_table": "Question quality by judge"},
    "ensemble": {"ensemble_voters": "Voter by voter", "ensemble_rules": "By rule of voting",
                 "ensemble_unheard": "Not heard"},
    "time": {"phases_table": "Where the time went", "requests_table": "Requests to models",
             "memory_table": "Memory"},
}  # fmt: skip


def parts(report: Report) -> dict[str, str]:
    """The tables of each part of the report that has any, in Markdown."""
    found = _tables(report)
    made = {
        part: "\n\n".join(
            f"### {title}\n\n{as_markdown(found[name])}" for name, title in named.items() if _has(found, name)
        )
        for part, named in _PARTS.items()
    }
    tests = [
        f"### {escaped(one['title'])}\n\n{as_markdown(one['tests'])}" for one in shares.view(report.shares)["shares"]
    ]
    made |= {"shares": "\n\n".join(tests), "methods": escaped(report.methods)}
    return {part: text for part, text in made.items() if text}


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", visible(text))


def _tables(report: Report) -> dict[str, Any]:
    spot = report.spot_check
    return {
        **tables.view(report), **marks.view(report.marks), **votes.view(report.votes),
        **critiques.view(report.critiques), **lessons.view(report), **student.view(report),
        **arena.view(report.arena), **quality.view(report.quality), **ensemble.view(report.ensemble),
        "gates_table": _gates(report),
        "lost_table": _lost(report),
        "spot_table": (["", ""], [["rows", spotted(spot)]]) if spot and spot.bad else None,
        "phases_table": _phases(report),
        "requests_table": (["", "count"], tables.requests(report)),
        "memory_table": (["", "bytes"], [(name, f"{size:,}") for name, size in tables.memory(report)]),
    }  # fmt: skip


def _has(found: dict[str, Any], name: str) -> bool:
    return bool((table := found.get(name)) and table[1])


def as_markdown(table: Table) -> str:
    head, rows = table
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell if place == 1 else _cell(cell) for cell in line)} |" for place, line in enumerate(lines)
    )


def _cell(text: str) -> str:
    return escaped(" ".join(text.split()))


def _gates(report: Report) -> Table:
    rows = [
        [gate.name, "held" if gate.passed else "failed" if gate.fails else "warned",
         "not measured" if gate.value is None else shown(gate.metric, gate.value), interval(gate),
         f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)} by {gate.by}", gate.because]
        for gate in report.gates
    ]  # fmt: skip
    return ["gate", "so", "value", "95% interval, n", "wanted", "because"], rows


def _lost(report: Report) -> Table:
    rows = [[plain(step.step), plain(reason), f"{count:,}"] for step in report.funnel
            for reason, count in step.dropped.items()]  # fmt: skip
    return ["step", "reason", "rows"], rows


def _phases(report: Report) -> Table:
    rows = [[plain(one.name), duration(one.seconds), f"{one.chunks:,}", f"{one.cached_chunks:,}",
             f"{one.failed_chunks:,}", f"{one.failed_rows:,}"] for one in report.phases]  # fmt: skip
    return ["phase", "time", "chunks", "cached", "failed", "rows missing"], rows
