"""The ensemble under an evaluation gateway: a stand-in that calls `predict` as Kaggle's does, one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from blocks.fleet import fleets
from flows.gateway import Contestant, opened
from nightschool.wire import Endpoint
from tasks import predict
from tests.tasks.test_predict import asked, plan, up


class Gateway:
    """Finds its listener by name, sends each row of a test set in an order of its own, and checks what comes back.

    Source: kaggle_evaluation's templates and the gateway of AIMO's third prize, in which the row comes in one of two
    shapes.
    """

    def __init__(self, *listeners: Callable[..., Any], whole_rows: bool = False) -> None:
        self._listeners = {each.__name__: each for each in listeners}
        self._whole_rows = whole_rows

    def run(self, test: pd.DataFrame) -> pd.DataFrame:
        parts: list[pd.DataFrame] = []
        for place in range(len(test) - 1, -1, -1):
            row = test.iloc[[place]].reset_index(drop=True)
            sent = (row, row[["id"]].assign(answer=0)) if self._whole_rows else (row["id"], row["problem"])
            found = self._listeners["predict"](*sent)
            assert list(found.columns) == ["id", "answer"]
            assert found["id"].tolist() == row["id"].tolist()
            assert pd.api.types.is_integer_dtype(found["answer"])
            assert found["answer"].between(0, 99999).all()
            parts.append(found)
        return pd.concat(parts, ignore_index=True)


@pytest.fixture
def test_set() -> pd.DataFrame:
    asks = [f"How much is {n} and 1 together?" for n in range(4)]
    return pd.DataFrame({"id": [f"k{n}" for n in range(4)], "problem": asks})


@pytest.mark.parametrize("whole_rows", [False, True])
def test_every_row_is_answered_in_the_gateways_own_form(
    tmp_path: Path, test_set: pd.DataFrame, whole_rows: bool
) -> None:
    night = plan(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, urls):
        found = Gateway(Contestant(night, served).predict, whole_rows=whole_rows).run(test_set)
        assert dict(zip(found["id"], found["answer"], strict=True)) == {f"k{n}": n + 1 for n in range(4)}
        assert asked(urls) == {"ann": 8, "ben": 8}
        # A session that begins anew, in whatever order, asks nothing again.
        Gateway(Contestant(night, served).predict).run(test_set.iloc[::-1])
        assert asked(urls) == {"ann": 8, "ben": 8}
    table = pd.read_csv(night.dir / "submission.csv")
    assert sorted(table["id"]) == [f"k{n}" for n in range(4)]


def test_what_the_world_does_never_stops_the_gateway(tmp_path: Path, test_set: pd.DataFrame) -> None:
    night = plan(tmp_path, "predict.stand_in='42'")
    nobody = {name: Endpoint(model=name, urls=("http://127.0.0.1:9/v1",), attempts=1) for name in ("ann", "ben")}
    found = Gateway(Contestant(night, nobody).predict).run(test_set)
    assert found["answer"].tolist() == [42] * 4


def test_plain_text_gets_a_plain_answer(tmp_path: Path) -> None:
    night = plan(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, _):
        assert Contestant(night, served).predict("x", "How much is 2 and 1 together?") == 3


def test_the_time_for_all_problems_is_shared_among_as_many_as_the_recipe_says(
    tmp_path: Path, test_set: pd.DataFrame
) -> None:
    night = plan(tmp_path, "predict.budget={total_s: 6.0, problems: 4, fast: ben}")
    slow: dict[str, Any] = {"accuracy": 0.0, "latency_s": {"mean": 60}}
    with up(night, ann=slow, ben={"accuracy": 1.0}) as (served, urls):
        predict.begin(night)
        found = Gateway(Contestant(night, served).predict).run(test_set)
        assert asked(urls)["ben"] == 8
    assert found["answer"].tolist() == [4, 3, 2, 1]


def test_an_ensemble_opens_with_its_servers_and_one_that_does_not_come_up_leaves_the_others(tmp_path: Path) -> None:
    plan(tmp_path)
    known = "answers: {file: q.csv, fields: {question: problem, answer: gt}}"
    sets = [
        f"teachers.0.script={{behaviour: maths, models: {{ann: {{accuracy: 1.0}}}}, {known}}}",
        f"teachers.1.script={{behaviour: maths, models: {{ben: {{}}}}, tally: {tmp_path}}}",
    ]
    with opened(str(tmp_path / "r.yaml"), sets=sets) as ensemble:
        assert ensemble.silent.keys() == {"ben"}
        assert ensemble.predict("x", "How much is 3 and 1 together?") == 4
        assert fleets()
    assert not fleets(), "its servers end with it"
