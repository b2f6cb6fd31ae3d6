"""A page on which thousands of topics would leave nothing else to read."""

from __future__ import annotations

from nightschool.report import tables
from nightschool.report.figures import Funnel
from nightschool.report.page import render
from nightschool.report.proof import Estimate
from tests.nightschool.example_report import example


def test_thousands_of_topics_leave_the_page_readable_and_every_row_counted() -> None:
    per_topic = {f"topic-{n:04d}": 5 + (n < 3) for n in range(2_000)}
    step = Funnel(step="asked", total=sum(per_topic.values()), per_topic=per_topic)
    small = Estimate(value=0.5, low=0.4, high=0.6, n=2)
    stages = [stage.model_copy(update={"per_topic": dict.fromkeys(per_topic, small)}) for stage in example().stages]
    report = example().model_copy(update={"funnel": (step,), "stages": tuple(stages)})
    head, [row] = tables.funnel(report)
    assert head[1:4] == ["topic-0000", "topic-0001", "topic-0002"]
    assert head[-2:] == ["1,988 others", "all"]
    assert sum(int(cell.replace(",", "")) for cell in row[1:-1]) == step.total
    page = render(report)
    assert len(page) < 400_000
    assert "The 12 largest of 2,000 topics." in page
