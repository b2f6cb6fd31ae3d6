"""The command that holds a file against a contest's rules: what it shows, and its exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flows.cli import main


@pytest.mark.parametrize(("at_least", "code"), [((), 1), (("--at-least", "0.8"), 0), (("--at-least", "0.9"), 1)])
def test_a_file_is_held_to_the_share_that_is_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    at_least: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    answers = ["0", "99999", "7", "100000", "1.5", *map(str, range(8, 18))]
    Path("mine.csv").write_text("id,answer\n" + "".join(f"q{n},{each}\n" for n, each in enumerate(answers)))
    monkeypatch.setattr(sys, "argv", ["nightschool", "validate-format", "mine.csv", "--contest", "aimo", *at_least])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr().out
    assert int(caught.value.code or 0) == code
    assert "15 submission, 13 valid (86.7%, 95% interval 62.1% to 96.3%) for aimo" in said
    assert "row 5: out of range: answer is 100000, not 0 to 99999" in said
    assert "row 6: no integer: answer is '1.5'" in said
