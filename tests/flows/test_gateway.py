"""The ensemble under an evaluation gateway: a stand-in that calls `predict` as Kaggle's does, one row at a time."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from blocks.fleet import fleets
from flows.gateway import Contestant, opened
from nightschool.wire import Endpoint
from tasks import predict
from tests.blocks.client_asks import counted
from tests.blocks.fleets import until
from tests.tasks.test_predict import asked, plan, up

# How a gateway passes one row to whoever predicts.
Sent = Callable[[pd.DataFrame], tuple[Any, ...]]
# A session of its own, which answers until it is killed.
SESSION = """
import json, sys
from pathlib import Path
from flows.gateway import Contestant
from nightschool.recipe.load import load_recipe
from nightschool.wire import Endpoint
from tasks.night import Night
night = Night.plan(load_recipe(Path(sys.argv[1])))
served = {name: Endpoint(model=name, urls=(url,)) for name, url in json.loads(sys.argv[2]).items()}
contestant = Contestant(night, served)
for n in range(4):
    contestant.predict(f"k{n}", f"How much is {n} and 1 together?")
"""


class Gateway:
    """Finds its listener by name, sends each row of a test set in an order of its own, and checks what comes back.

    Source: kaggle_evaluation's templates and the gateways of AIMO's prizes, in which a row comes as two columns (the
    third prize: series of polars), as two frames of one cell each (the second), or as a whole row beside the sample's.
    """

    def __init__(self, *listeners: Callable[..., Any], sent: Sent) -> None:
        self._listeners = {each.__name__: each for each in listeners}
        self._sent = sent

    def run(self, test: pd.DataFrame) -> pd.DataFrame:
        parts: list[pd.DataFrame] = []
        for place in range(len(test) - 1, -1, -1):
            row = test.iloc[[place]].reset_index(drop=True)
            found = self._listeners["predict"](*self._sent(row))
            if isinstance(found, pl.DataFrame):
                assert found.schema["answer"].is_integer()
                found = pd.DataFrame(found.to_dict(as_series=False))
            assert list(found.columns) == ["id", "answer"]
            assert found["id"].tolist() == row["id"].tolist()
            assert pd.api.types.is_integer_dtype(found["answer"])
            assert found["answer"].between(0, 99999).all()
            parts.append(found)
        return pd.concat(parts, ignore_index=True)


def columns(row: pd.DataFrame) -> tuple[Any, ...]:
    return row["id"], row["problem"]


def whole_rows(row: pd.DataFrame) -> tuple[Any, ...]:
    return row, row[["id"]].assign(answer=0)


def series_of_polars(row: pd.DataFrame) -> tuple[Any, ...]:
    return pl.Series("id", row["id"].tolist()), pl.Series("problem", row["problem"].tolist())


def frames_of_polars(row: pd.DataFrame) -> tuple[Any, ...]:
    return tuple(pl.DataFrame(series) for series in series_of_polars(row))


@pytest.fixture
def test_set() -> pd.DataFrame:
    asks = [f"How much is {n} and 1 together?" for n in range(4)]
    return pd.DataFrame({"id": [f"k{n}" for n in range(4)], "problem": asks})


@pytest.mark.parametrize("sent", [columns, whole_rows, series_of_polars, frames_of_polars])
def test_every_row_is_answered_in_the_gateways_own_form(tmp_path: Path, test_set: pd.DataFrame, sent: Sent) -> None:
    night = plan(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, urls):
        found = Gateway(Contestant(night, served).predict, sent=sent).run(test_set)
        assert dict(zip(found["id"], found["answer"], strict=True)) == {f"k{n}": n + 1 for n in range(4)}
        assert asked(urls) == {"ann": 8, "ben": 8}
        # A session that begins anew, in whatever order, asks nothing again.
        Gateway(Contestant(night, served).predict, sent=sent).run(test_set.iloc[::-1])
        assert asked(urls) == {"ann": 8, "ben": 8}
    table = pd.read_csv(night.dir / "submission.csv")
    assert sorted(table["id"]) == [f"k{n}" for n in range(4)]


def test_what_the_world_does_never_stops_the_gateway(tmp_path: Path, test_set: pd.DataFrame) -> None:
    night = plan(tmp_path, "predict.stand_in='42'")
    nobody = {name: Endpoint(model=name, urls=("http://127.0.0.1:9/v1",), attempts=1) for name in ("ann", "ben")}
    found = Gateway(Contestant(night, nobody).predict, sent=columns).run(test_set)
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
        found = Gateway(Contestant(night, served).predict, sent=columns).run(test_set)
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


HOSTILE = ["", None, 7, "../../x", 'a,b\n"c"', "=1+1", "\ud800", "k" * 5000, "\u202eid", "k"]


def test_a_hostile_empty_or_repeated_id_is_answered_like_any_other(tmp_path: Path) -> None:
    night = plan(tmp_path, rows=13)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, urls):
        contestant = Contestant(night, served)
        for place, name in enumerate([*HOSTILE, "k"]):
            text = f"How much is {place} and 1 together?"
            assert contestant.predict(name, text) == place + 1
            if name != "\ud800":  # no column holds half a pair
                found = contestant.predict(pd.Series([name], dtype=object), pd.Series([text]))
                assert found["answer"].tolist() == [place + 1]
                assert found["id"].tolist() == [name], "as it came"
        assert asked(urls) == {"ann": 22, "ben": 22}, "the same problem is asked once"
        paid = asked(urls)
        assert [contestant.predict("none", nothing) for nothing in (None, "", " \n")] == [0, 0, 0]
        assert asked(urls) == paid, "what has no text is put to nobody"
        empty = pl.DataFrame({"id": [], "problem": []}, schema={"id": pl.String, "problem": pl.String})
        assert contestant.predict(empty).is_empty()
    with (night.dir / "submission.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = {"" if name is None else str(name).encode("utf-8", "replace").decode() for name in HOSTILE}
    assert {row["id"] for row in rows} == names | {"none"}
    assert len(rows) == len(names) + 1, "an id has one row, of what was said last"
    assert {path.name for path in night.dir.parent.parent.iterdir()} <= {"nights", "predict", "review"}
    assert rows[[row["id"] for row in rows].index("k")]["answer"] == str(len(HOSTILE) + 1)


def test_a_gateway_killed_in_mid_problem_begins_again_and_no_reply_is_paid_for_twice(tmp_path: Path) -> None:
    night = plan(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"latency_s": {"mean": 600}}) as (served, urls):
        dead = subprocess.Popen([sys.executable, "-c", SESSION, str(tmp_path / "r.yaml"), json.dumps(urls)])
        journal = (tmp_path / "runs").glob
        until(lambda: sum(file.read_bytes().count(b"\n") for file in journal("predict/**/*.journal.jsonl")) == 2, 60)
        dead.kill()
        dead.wait()
        assert counted(urls["ann"])["total"] == 2, "both templates of the first problem"
        with up(night, ben={"accuracy": 1.0}) as (again, others):
            contestant = Contestant(night, {**served, **again})
            said = [contestant.predict(f"k{n}", f"How much is {n} and 1 together?") for n in range(4)]
            assert asked(others) == {"ben": 8}
        assert said == [1, 2, 3, 4]
        assert asked(urls)["ann"] == 8
