"""The report's tables as Prefect shows them: the same figures as on the page, and text of models is text."""

from __future__ import annotations

import html
import re

from nightschool.report.figures import Funnel
from nightschool.report.markdown import parts
from nightschool.report.page import render
from nightschool.report.verdict import conclude
from tests.nightschool.example_report import GATES, example, stopped, unjudged

HOSTILE = "<img src=x onerror=alert(1)> | [l](javascript:1)\n# big `a`"


def cells(markdown: str) -> list[str]:
    """What stands in the tables, as a reader sees it."""
    rows = [line for line in markdown.splitlines() if line.startswith("|") and "---" not in line]
    return [re.sub(r"\\(.)", r"\1", cell.strip()) for row in rows for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_every_figure_of_its_tables_is_on_the_page_too() -> None:
    page = " ".join(
        html.unescape(
            re.sub("<[^>]+>", " ", re.sub(r'<span class="sure">(.*?)</span>', r"\1", render(example())))
        ).split()
    )
    found = parts(example())
    assert set(found) == {"gates", "rows", "committee", "student", "time"}
    figures = {
        cell for part in ("rows", "committee", "student") for cell in cells(found[part]) if re.search(r"\d", cell)
    }
    assert len(figures) > 100
    assert [one for one in figures if one not in page] == []


def test_a_night_that_stopped_has_what_it_reached() -> None:
    found = parts(stopped())
    assert "student" not in found
    assert "Rows by step" in found["rows"]


def test_what_models_wrote_is_text() -> None:
    lost = Funnel(step="written", total=3, dropped={HOSTILE: 2})
    found = parts(conclude(unjudged().model_copy(update={"funnel": (lost,), "methods": HOSTILE}), GATES))
    for text in (found["rows"], found["methods"]):
        assert not re.search(r"(?<!\\)[<\[`]", text)
    assert " ".join(HOSTILE.split()) in cells(found["rows"])
