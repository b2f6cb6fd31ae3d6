"""One thing that was looked at before a night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """What was found; `mend` says what to do unless all is well."""

    name: str
    outcome: Literal["ok", "warn", "fail"]
    detail: str
    mend: str = ""


def ok(name: str, detail: str) -> Check:
    return Check(name, "ok", detail)


def warn(name: str, detail: str, mend: str) -> Check:
    return Check(name, "warn", detail, mend)


def fail(name: str, detail: str, mend: str) -> Check:
    return Check(name, "fail", detail, mend)
