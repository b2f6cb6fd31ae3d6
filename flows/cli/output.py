"""Where the command line writes: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import orjson
from rich.console import Console


class _Lasting(Console):
    """Goes quiet when nobody reads it any more; rich would end the thread that told something, and the night hang."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


# What reads a pipe wraps for itself.
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)
say = _Lasting(stderr=True, highlight=False, markup=False)


def tell(text: str) -> None:
    """Something that a person is to see whatever else stands on the screen."""
    say.show_cursor(True)
    say.print(f"\n{text}", soft_wrap=True)


def write_json(value: object, *, indent: bool = True) -> None:
    """A value, dataclasses and models in it, as JSON on stdout; on one line if `indent` is off."""
    option = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    sys.stdout.write(orjson.dumps(value, default=_plain, option=option).decode())
    sys.stdout.flush()


def write_lines(lines: Iterable[bytes]) -> None:
    """Lines of JSON to stdout as they are."""
    for line in lines:
        sys.stdout.write(line.decode())
    sys.stdout.flush()


def _plain(value: object) -> object:
    from pydantic import BaseModel  # a tenth of a second, and --help has no use for it

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON")
