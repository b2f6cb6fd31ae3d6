"""The rules of nightschool: pure functions from rows to decisions."""

__version__ = "0.1.0"
