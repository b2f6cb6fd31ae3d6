"""The finished student against the clock, in a real store, asked over real HTTP."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import orjson
import pytest

from blocks.scripted.local import Script, scripted
from nightschool.errors import WorldError
from nightschool.timing import Timed
from nightschool.wire import Endpoint
from tasks import crew, timing
from tasks.chunk import make_chunk
from tasks.night import Night
from tests.blocks.client_asks import counted
from tests.half_night import Make
from tests.tasks.conftest import fill, serving
from tests.tasks.test_rounds import trained

CONTEST = """
name: sprint
files: {answers: {keys: [answer]}}
timing:
  answers: {rows: 6, batch_size: 3, each_s: 0.4, mean_s: 0.3, total_s: 5, targets_s: {us: 0.001}}
  questions: {rows: 4, batch_size: 2, each_s: 30, mean_s: 30}
"""
VALIDATE = "validate={per_topic: 3, seeds: [0], timed: 4, contest: sprint.yaml}"
ASKING = "sft=[{name: sft, learning_rate: 1.0e-3, teaches: {answers: 1, questions: 1}}]"


def ready(make: Make, *sets: str) -> Night:
    """A night whose student is trained, and needs but be timed."""
    night = make(*sets, alba="{models: {alba: {accuracy: 0.9}}}")
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    trained(night, "sft")
    return night


def taken(night: Night, **script: Any) -> dict[str, Any]:
    """Its times as they were taken, from a server that behaves so."""
    with scripted(Script.model_validate({"models": {"sft": {}}, **script})) as url:
        served = {"sft": Endpoint(model="sft", urls=(url,), attempts=3, timeout_s=2)}
        for chunk in timing.chunks(night):
            make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)
        return counted(url)


@pytest.fixture
def contest(make: Make, tmp_path: Any) -> Make:
    (tmp_path / "sprint.yaml").write_text(CONTEST)
    return make


def test_without_a_contest_answers_are_timed_one_by_one(make: Make) -> None:
    night = ready(make, "validate={per_topic: 3, seeds: [0], timed: 4}")
    told = taken(night)
    (found,) = timing.figures(night)
    (way,) = found.ways
    assert (way.name, way.n, found.held) == ("one by one, warm", 4, None)
    assert way.ttft
    assert way.itl
    assert told["total"] == 5, "one beforehand that nobody times"
    assert [row.e2el_s for row in timing.one_by_one(night)] == pytest.approx(
        [(row.ttft_s or 0) + sum(row.itl_s) for row in timing.one_by_one(night)], abs=1e-5
    )


def test_a_contest_times_answers_and_questions_in_its_own_company(contest: Make) -> None:
    night = ready(contest, VALIDATE, ASKING)
    slow = {"models": {"sft": {"latency_s": {"mean": 0.05}}}}
    before = crew.stats().sent
    told = taken(night, **slow)
    answers, asked = timing.figures(night)
    assert [(way.name, way.n) for way in answers.ways] == [
        ("batches of 3, cold", 6), ("one by one, cold", 4), ("batches of 3, warm", 6), ("one by one, warm", 4),
        ("without our client", 4),
    ]  # fmt: skip
    assert [way.n for way in asked.ways] == [4, 4, 4, 4, 4]
    assert (asked.of, asked.stage, asked.ways[0].batch_size) == ("questions", "sft", 2)
    assert told["total"] == 44
    assert told["distinct"] == 10 + 4 + 8 + 4, "streamed and not, and each asked again while warm"
    assert crew.stats().sent - before == 44, "they are counted among the night's requests"
    assert answers.held
    assert asked.held
    assert answers.held.contest == "sprint"
    assert answers.held.total_s >= 2 * 0.049
    assert [one.met for one in answers.held.targets] == [False]


def test_a_slow_parser_of_ours_is_in_no_time(contest: Make) -> None:
    night = ready(contest, "validate={per_topic: 1, seeds: [0], timed: 1, contest: sprint.yaml}")
    (chunk,) = timing.chunks(night)
    read: list[bytes] = []

    def slow(data: bytes) -> Any:
        read.append(data)
        time.sleep(0.03)
        return orjson.loads(data)

    words = {"behaviour": "text", "text": "one two three four five six seven eight nine ten"}
    with scripted(Script.model_validate({"models": {"sft": {"token_s": 0.001}}, **words})) as url:
        served = {"sft": Endpoint(model="sft", urls=(url,))}
        made = timing.make(night, chunk, served, parse=slow)
    assert isinstance(made.rows, list)
    rows = [row for row in made.rows if isinstance(row, Timed)]
    assert len(rows) == 3 + 1 + 3 + 1 + 1
    assert len(read) == 8 * 11 + 1
    reading_s = 11 * 0.03
    assert median(row.e2el_s for row in rows) < reading_s
    assert made.figures["totals_s"]["batched-warm"] < 3 * reading_s


def test_who_gets_no_reply_is_over_the_limit_and_a_dropped_row(contest: Make) -> None:
    night = ready(contest, VALIDATE)
    taken(night, faults={"half_json": 1.0})
    (found,) = timing.figures(night)
    assert found.held is None, "no reply at all is no time"
    assert {(one.way, one.seconds) for one in found.over} >= {("batches of 3, cold", None)}
    ((_, manifest),) = night.made(timing.chunks(night))
    assert manifest.dropped == {"broken_reply": 24}
    assert manifest.figures["failed"] == 24


def test_a_server_that_is_away_is_the_worlds_failure(make: Make) -> None:
    night = ready(make, "validate={per_topic: 3, seeds: [0], timed: 4}")
    with scripted(Script()) as url:
        pass
    (chunk,) = timing.chunks(night)
    with pytest.raises(WorldError, match="no times can be taken"):
        timing.make(night, chunk, {"sft": Endpoint(model="sft", urls=(url,), attempts=1)})


def test_times_and_limits_rename_nothing(contest: Make, tmp_path: Any) -> None:
    night = ready(contest, VALIDATE)
    taken(night)
    keys, (chunk,) = dict(night.keys), timing.chunks(night)
    (tmp_path / "sprint.yaml").write_text(CONTEST.replace("each_s: 0.4", "each_s: 0.00001"))
    softer = contest(VALIDATE)
    assert dict(softer.keys) == keys
    assert night.store.manifest(chunk)
    (found,) = timing.figures(softer)
    assert len(found.over) == 20, "what was timed is held against another limit without being asked again"
    (tmp_path / "sprint.yaml").write_text(CONTEST.replace("batch_size: 3", "batch_size: 2"))
    changed = dict(contest(VALIDATE).keys)
    assert {place for place in keys if changed[place] != keys[place]} == {"timing/sft"}
    assert all(isinstance(row, Timed) for row in night.rows([chunk], Timed))
