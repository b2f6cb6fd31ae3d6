"""From a report's plots to images of their own, for places that have neither our page's style nor its policy."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nightschool.report import ablations
from nightschool.report.figures import Report
from nightschool.report.page import plots_of

if TYPE_CHECKING:
    from nightschool.report.svg import Plot

_VARIABLE = re.compile(r"--([a-z]+): (#[0-9a-f]{6})")
_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
_ROOM = 20


class Image(NamedTuple):
    """A plot as a `data:` URI of an SVG, with what is said beside it."""

    name: str
    title: str
    caption: str
    uri: str


def images(report: Report) -> list[Image]:
    """Every plot that the page has, in light colours on a card of their own."""
    return [
        Image(name, plot.title, plot.caption, f"data:image/svg+xml;base64,{base64.b64encode(alone(plot)).decode()}")
        for name, plot in _plots(report)
    ]


def alone(plot: Plot) -> bytes:
    """A plot's SVG as a file: its colours written out, its size, its fonts, and the card behind it."""
    colours = _light()
    svg = re.sub(r"var\(--([a-z]+)\)", lambda found: colours[found[1]], str(plot.svg))
    box = _BOX.search(svg)
    assert box is not None, "a plot has a size"
    # Twice a phone's width, so that a desk shows it sharp and of a size to read; on its right room for a wider font.
    wide, high = float(box[1]) + _ROOM, float(box[2])
    svg = svg.replace(box[0], f'viewBox="0 0 {wide:g} {high:g}"', 1)
    size = f'width="{2 * wide:g}" height="{2 * high:g}" font-family="{_FONT}"'
    card = f'<rect width="100%" height="100%" fill="{colours["card"]}"/>'
    head, _, rest = svg.partition(">")
    return f"{head} {size}>{card}{rest}".encode()


def _plots(report: Report) -> Iterator[tuple[str, Plot]]:
    for name, found in plots_of(report).items():
        several = found if isinstance(found, list) else [found]
        for place, plot in enumerate(several, start=1):
            if plot is not None:
                yield (f"{name}-{place}" if len(several) > 1 else name), plot
    for place, (_, _, plot) in enumerate(ablations.view(report)["ablations"], start=1):
        yield f"ablation-{place}", plot


def _light() -> dict[str, str]:
    """The page's light colours, by name; the first of each, as the dark ones come behind them."""
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return dict(reversed(_VARIABLE.findall(style)))
