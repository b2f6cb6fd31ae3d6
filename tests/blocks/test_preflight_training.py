"""What training needs, looked at before a night."""

from __future__ import annotations

from blocks.preflight.preflight import engine_check


def test_a_launcher_that_is_not_installed_is_refused_before_the_night() -> None:
    found = engine_check("deepspeed")
    assert (found.outcome, found.name) == ("fail", "deepspeed")
    assert "launcher: fsdp" in found.mend
