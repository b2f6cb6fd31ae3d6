"""Plots as images of their own: whole, small, and of the page's light colours."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

from nightschool.report.figures import Report
from nightschool.report.images import images
from tests.nightschool.example_report import example, night


def test_every_plot_of_the_page_is_an_image_that_needs_nothing_around_it() -> None:
    found = images(example())
    assert {one.name for one in found} >= {"accuracy", "topics", "agreement", "committee", "latency", "losses-1"}
    assert len({one.name for one in found}) == len(found)
    for one in found:
        head, _, body = one.uri.partition(",")
        svg = base64.b64decode(body)
        assert head == "data:image/svg+xml;base64"
        assert len(one.uri) < 60_000, "an artifact is a row of Prefect's database"
        assert b"var(" not in svg
        assert b"#ffffff" in svg
        root = ElementTree.fromstring(svg)
        assert float(root.attrib["width"]) >= 600
        assert one.caption


def test_a_night_without_plots_has_no_images() -> None:
    assert images(Report(night=night())) == []
