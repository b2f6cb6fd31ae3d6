"""Flags that a recipe passes on to vllm: known ones pass, a slip is named with what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.preflight import flags
from blocks.preflight.flags import flag_checks, judge_flags, read_flags
from blocks.servers import ServerSpec

HELP = """usage: api_server.py [-h] [--host HOST]

options:
  --max-num-partial-prefills N
                        see --not-a-flag
  --scheduling-policy {fcfs,priority}
  --async-scheduling, --no-async-scheduling
  --compilation-config CONFIG, -cc CONFIG
  -O, --optimization-level
"""


def test_flags_are_read_from_the_lines_that_begin_with_one() -> None:
    found = read_flags(HELP)
    assert {"--async-scheduling", "--no-async-scheduling", "--optimization-level"} <= found
    assert "--not-a-flag" not in found


@pytest.mark.parametrize(
    ("given", "outcome", "mend"),
    [
        (["--scheduling-policy", "priority"], "ok", ""),
        (["--scheduling_policy=priority", "--compilation-config.level=3", "-O3"], "ok", ""),
        (["--sheduling-policy", "priority"], "fail", "did you mean --scheduling-policy?"),
        (["--xyz"], "fail", "--help=all"),
    ],
)
def test_a_slip_is_named(given: list[str], outcome: str, mend: str) -> None:
    found = judge_flags("alba", given, read_flags(HELP))
    assert found.outcome == outcome
    assert mend in found.mend


def test_without_vllm_it_cannot_be_told() -> None:
    assert judge_flags("alba", ["--any"], frozenset()).outcome == "warn"


def test_vllm_is_asked_once_and_only_for_models_that_pass_flags_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(flags, "_version", lambda: "9.9")
    monkeypatch.setattr(flags, "_help", lambda: HELP)
    said: list[str] = []
    plain = ServerSpec(name="plain", engine="vllm", model="m")
    odd = ServerSpec(name="odd", engine="vllm", model="m", extra_args=("--async-scheduling",))
    assert flag_checks([plain], said.append) == []
    assert [check.outcome for check in flag_checks([plain, odd], said.append)] == ["ok"]
    monkeypatch.setattr(flags, "_help", lambda: "")
    assert [check.outcome for check in flag_checks([odd], said.append)] == ["ok"]
    assert len(said) == 1
