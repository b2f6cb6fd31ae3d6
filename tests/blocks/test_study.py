"""Studies on file: gone on with after any end, the same whatever cut them off, held by one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocks.study import opened
from nightschool.errors import WorldError
from nightschool.recipe.tune import Tune
from nightschool.report.proof import Estimate
from nightschool.tune import Scored, Trial


def search(**changes: Any) -> Tune:
    fields = {"rate": {"low": 1e-4, "high": 1e-2, "log": True}, "r": [8, 16, None], "n": {"low": 1, "high": 5}}
    return Tune.model_validate({"fields": fields, "trials": 6, "warm_up": 1} | changes)


def came_to(value: float) -> Scored:
    share = Estimate(value=0.25, low=0.2, high=0.3, n=300)
    return Scored(value=value, low=value - 0.1, high=value + 0.1, n=300, baselines={"always B": share})


def through(path: Path, how: Tune, *, stop_after: int = 100) -> list[Trial]:
    """Runs trials until enough are over, or stops in the middle of the one after `stop_after`."""
    with opened(path, how, "night") as study:
        while trial := study.next():
            if stop_after == 0:
                break
            stop_after -= 1
            study.tell(trial, "complete", came_to(float(str(trial.values["rate"]))), seconds=1.0)
        return list(study.trials())


def test_whatever_cuts_it_off_the_trials_are_the_same(tmp_path: Path) -> None:
    whole = through(tmp_path / "a.journal", search())
    assert [trial.night for trial in whole] == [f"night.{number:03d}" for number in range(6)]
    assert len({str(trial.values) for trial in whole}) == 6
    path = tmp_path / "b.journal"
    for _ in range(4):
        through(path, search(), stop_after=1)
        with path.open("ab") as journal:
            journal.write(b'{"op_code": 4, "torn')
    assert through(path, search()) == whole


def test_more_trials_go_on_where_fewer_ended(tmp_path: Path) -> None:
    few = through(tmp_path / "a.journal", search(trials=3))
    assert through(tmp_path / "a.journal", search(trials=5))[:3] == few


def test_a_grid_tries_every_combination_once(tmp_path: Path) -> None:
    how = search(fields={"rate": [1, 2, 3], "r": [8, 16]}, sampler="grid", trials=50)
    for _ in range(3):
        through(tmp_path / "a.journal", how, stop_after=1)
    found = [tuple(trial.values.values()) for trial in through(tmp_path / "a.journal", how)]
    assert len(found) == len(set(found)) == 6


def test_a_rung_below_the_others_ends_a_trial(tmp_path: Path) -> None:
    with opened(tmp_path / "a.journal", search(), "night") as study:
        ends = []
        for value in (0.5, 0.4, 0.6):
            trial = study.next()
            assert trial
            if pruned := study.report(trial, 0, came_to(value)):
                study.tell(trial, "pruned", why="below the others")
            else:
                study.tell(trial, "complete", came_to(value))
            ends.append(pruned)
        assert ends == [False, True, False]
        assert study.trials()[1].rungs == (came_to(0.4),)
        assert study.trials()[1].why == "below the others"
        assert study.trials()[1].score is None
        assert study.trials()[2].score == came_to(0.6)


def test_a_rung_may_be_reported_again_by_a_trial_that_goes_on(tmp_path: Path) -> None:
    for value in (0.5, 0.5):
        with opened(tmp_path / "a.journal", search(), "night") as study:
            trial = study.next()
            assert trial
            assert trial.number == 0
            assert not study.report(trial, 0, came_to(value))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with (
        opened(path, search(), "night"),
        pytest.raises(WorldError, match="running already"),
        opened(path, search(), "night"),
    ):
        pass
