"""What a run writes down about memory and about servers that died."""

from __future__ import annotations

from pathlib import Path

from tasks.ledger import Ledger, last_run


def test_memory_keeps_the_first_before_the_most_while_and_the_last_after(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for moment, count in (("before", 0), ("serving", 9), ("after", 4), ("before", 5), ("serving", 7), ("after", 1)):
        ledger.memory(moment, count)
        ledger.device("0: H200", moment, count * 10)
    ledger.finish()
    assert last_run(tmp_path).memory == {"before": 0, "serving": 9, "after": 1}
    assert last_run(tmp_path).devices == {"0: H200": {"before": 0, "serving": 90, "after": 10}}


def test_a_death_is_on_file_at_once(tmp_path: Path) -> None:
    Ledger(tmp_path).died(
        "alba-0",
        "model server alba-0 (vllm) ended with exit code 137\n  | out of memory",
        tmp_path / "alba-0.log",
        again=True,
    )
    [restart] = last_run(tmp_path).restarts
    assert (restart.server, restart.again) == ("alba-0", True)
    assert "out of memory" in restart.how
    assert restart.line.startswith("alba-0 (vllm) ended with exit code 137 at ")


def test_a_run_that_serves_nobody_keeps_what_the_last_one_measured(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    first.memory("serving", 5)
    first.device("0: H200", "serving", 6)
    first.finish()
    Ledger(tmp_path).finish()
    assert last_run(tmp_path).memory == {"serving": 5}
    assert last_run(tmp_path).devices == {"0: H200": {"serving": 6}}


def test_starts_are_known_by_what_they_were_for_and_count_as_serving(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for phase, who, seconds in (("questions", "alba", 3.0), ("questions", "bruno", 5.0), ("questions", "alba", 4.0)):
        ledger.started(phase, who, "vllm", seconds)
    run = last_run(tmp_path)
    assert [(one.who, one.seconds, one.times) for one in run.starts] == [("alba", 7.0, 2), ("bruno", 5.0, 1)]
    assert [(one.name, one.seconds, one.times) for one in run.phases] == [("serve", 12.0, 3)]
