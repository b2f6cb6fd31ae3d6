"""Starts of servers ahead, by those that were measured."""

import pytest

from nightschool.starts import Start, ahead_s, desk_of

VLLM, SCRIPTED = frozenset({"vllm"}), frozenset({"scripted"})
# Three models of which two have room: whoever is up stays for the next phase, and the others come after.
WAVES = [Start("questions", VLLM, 60.0), Start("questions", VLLM, 80.0), Start("answers", VLLM, 61.0)]


def test_phases_of_one_desk_share_their_servers():
    assert desk_of("timing") == desk_of("validate")
    assert desk_of("sft") == ()


@pytest.mark.parametrize(
    ("phase", "begins", "seconds"),
    [
        ("questions", True, 140.0),
        ("answers", False, 61.0),  # the wave that comes anew; the other one is up
        ("answers", True, 140.0),  # questions were there already, so that all have to start
        ("validate", True, 67.0),  # no start for it is known, those of such engines are
        ("timing", False, 0.0),
    ],
)
def test_a_start_ahead_takes_what_the_nearest_one_took(phase: str, begins: bool, seconds: float) -> None:
    assert ahead_s(phase, VLLM, [WAVES, []], begins=begins) == pytest.approx(seconds)


def test_the_evening_to_go_by_first_counts():
    assert ahead_s("questions", VLLM, [[Start("questions", VLLM, 9.0)], WAVES], begins=True) == 9.0


def test_other_engines_say_nothing():
    assert ahead_s("questions", SCRIPTED, [WAVES], begins=True) is None
    assert ahead_s("questions", SCRIPTED, [WAVES, [Start("quality", SCRIPTED, 2.0)]], begins=True) == 2.0
