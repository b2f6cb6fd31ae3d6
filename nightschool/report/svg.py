"""From a matplotlib figure to SVG that lives in a page: text as text, colours from the page's CSS variables."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Colours that no plot would choose: each becomes the page's variable of its name, so that plots follow light and dark.
_NAMES = ("ink", "muted", "line", "card", "base", "sft", "dpo", "third", "fourth", "good", "bad", "accent", "paper")
THEME = {name: f"#0102{number:02x}" for number, name in enumerate(_NAMES)}
_VARIABLES = {colour: f"var(--{name})" for name, colour in THEME.items()}
_STAGES = {"base": "base", "sft": "sft", "dpo": "dpo"}
_MARKERS = ("o", "s", "D", "^", "v", "P")

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
# What a presentation attribute can't say, or the page says better.
_LEFT_OUT = {"font-family", "font"}
# How matplotlib names markers (m) and clip paths (p).
_REFERENCE = re.compile(r"#(?=[mp][0-9a-f]{10}\b)")


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot, and the same figures as a table for whoever can't or won't look at it."""

    title: str
    svg: Markup
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def stage_colour(name: str, place: int) -> str:
    """The colour of a stage: its own, or one by its place among the stages."""
    return THEME[_STAGES.get(name, ("third", "fourth", "accent")[place % 3])]


def stage_marker(place: int) -> str:
    """Stages differ in shape as well as in colour."""
    return _MARKERS[place % len(_MARKERS)]


@contextmanager
def canvas(width: float, height: float, *, left: float, right: float, top: float, bottom: float) -> Iterator[Axes]:
    """One pair of axes in a figure of the given size, all in CSS pixels; margins are outside the axes."""
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "nightschool",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 11.5,
        "text.color": THEME["ink"],
        "axes.edgecolor": THEME["line"],
        "axes.labelcolor": THEME["muted"],
        "axes.unicode_minus": True,
        "xtick.color": THEME["muted"],
        "ytick.color": THEME["muted"],
        "axes.axisbelow": True,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        share = (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
        axes = figure.add_axes(share)
        axes.patch.set_visible(False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(length=0, pad=6)
        yield axes


def inline(axes: Axes, *, name: str, title: str, description: str) -> Markup:
    """The figure of these axes as an <svg> element without styles, scripts or ids that another plot might use.

    Args:
        name: short and unique on the page; prefixes every id.
        title: what the plot shows, for a screen reader.
        description: what it says.
    """
    text = io.StringIO()
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes of a canvas have a figure"
    figure.savefig(text, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    # Our own plot's output, parsed back; no outside XML comes here.
    root = ElementTree.fromstring(text.getvalue())  # noqa: S314
    kept = {found.group(1) for found in re.finditer(r'(?:url\(|href=")#([mp][0-9a-f]{10})', text.getvalue())}
    for element in root.iter():
        _plain_attributes(element, name, kept)
    _without_style(root)
    for tag, content in (("desc", description), ("title", title)):
        child = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        child.text = content
        root.insert(0, child)
    for fixed in ("width", "height", "version"):
        root.attrib.pop(fixed, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{name}-title {name}-desc", "stroke-linejoin": "round"}
    ElementTree.register_namespace("", _SVG)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - made by us, escaped by ElementTree


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Head and rows as text."""
    return tuple(head), tuple(tuple(str(cell) for cell in row) for row in rows)


def _plain_attributes(element: ElementTree.Element, name: str, kept: set[str]) -> None:
    """style="fill: red" becomes fill="red": the page's policy forbids style attributes."""
    for part in element.attrib.pop("style", "").split(";"):
        key, _, value = part.partition(":")
        if key.strip() and key.strip() not in _LEFT_OUT:
            element.set(key.strip(), value.strip())
    if element.get("id") not in kept:
        element.attrib.pop("id", None)
    if _HREF in element.attrib:
        element.set("href", element.attrib.pop(_HREF))
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for key, value in element.attrib.items():
        own = f"{name}-{value}" if key == "id" else _REFERENCE.sub(f"#{name}-", value)
        element.set(key, _VARIABLES.get(value, " ".join(own.split())))


def _without_style(root: ElementTree.Element) -> None:
    for defs in root.findall(f"{{{_SVG}}}defs"):
        for style in defs.findall(f"{{{_SVG}}}style"):
            defs.remove(style)
        if not len(defs):
            root.remove(defs)
