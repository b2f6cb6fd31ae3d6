"""The site of these pages: `make docs` makes it of docs/, README, ARCHITECTURE and CHANGELOG, in build/docs.

The pages are plain Markdown, to be read where the code lies as well. docs/index.md is the front page: each of its
headings with its list of links is a part of the site's table of contents.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath

from sphinx.application import Sphinx

project = "nightschool"
copyright = "nightschool's authors, Apache-2.0"  # noqa: A001 - Sphinx's own name for it
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "dist", "runs", "*.egg-info", "nightschool", "flows", "tasks", "blocks", "tests"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "nightschool"
html_copy_source = False
html_show_sphinx = False

_PART = re.compile(r"^## (.+)\n((?:.|\n)*?)(?=^## |\Z)", re.MULTILINE)
_PAGE = re.compile(r"^- \[([^\]]+)\]\(([\w./-]+)\.md\)", re.MULTILINE)
_HOME = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">\n'


def contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts the front page's lists of links into the site's table of contents as well."""
    if page != root_doc:
        return
    trees = []
    for title, listed in _PART.findall(source[0]):
        pages = "\n".join(f"{name} </{normpath(f'docs/{path}')}>" for name, path in _PAGE.findall(listed))
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```")
    source[0] += "\n\n" + "\n\n".join(trees) + "\n"


def home(app: Sphinx, error: Exception | None) -> None:
    """An index.html at the top leads to the front page."""
    if error is None:
        (Path(app.outdir) / "index.html").write_text(_HOME, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("source-read", contents)
    app.connect("build-finished", home)
