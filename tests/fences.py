"""The fenced blocks of a page, which its test carries out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: a file, commands, or what they print."""

    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """What the block is called, if its first line names a file."""
        named = re.match(r"# ([\w./]+\.\w+)\n", self.text)
        return named[1] if named else None

    @property
    def content(self) -> str:
        """All but its first line."""
        return self.text.partition("\n")[2]

    @property
    def commands(self) -> list[str]:
        """What a reader types."""
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    """All of a page, in order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]
