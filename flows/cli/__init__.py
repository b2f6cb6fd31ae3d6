"""The command line: `nightschool`."""

from flows.cli.app import main

__all__ = ["main"]
