"""An ensemble against real HTTP: votes, submissions, time that runs out, models that are gone; nothing paid twice."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from blocks.scripted import Script
from blocks.scripted.local import scripted
from blocks.server_process import free_port
from nightschool.errors import DataError, WorldError
from nightschool.predict import Predicted
from nightschool.recipe.load import load_recipe
from nightschool.submission import Submitted
from nightschool.wire import Endpoint
from tasks import predict, redo, submission
from tasks.making import Job, make
from tasks.night import Night
from tasks.predicted import summary
from tasks.problems import distinct
from tasks.solving import solve
from tasks.step import Served
from tests.blocks.client_asks import counted

DATA = Path(os.environ.get("NIGHTSCHOOL_DATA", Path(__file__).parents[3] / "shared" / "data"))
RECIPE = """
name: contest
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
pool: {{file: q.csv, fields: {{question: problem, answer: gt, id: id}}}}
answers: {{reply: text, value: integer, prompt: plain.txt, temperature: 0.7}}
committee: {{quorum: 1, min_agreement: 0.5, verifier: none}}
predict:
  templates: {{plain: plain.txt, polite: polite.txt}}
  contest: aimo
"""


def plan(folder: Path, *sets: str, rows: int = 8) -> Night:
    """A planned ensemble on a file of sums, the last of which asks what the first does under another id."""
    (folder / "plain.txt").write_text("[user]\n$question\n")
    (folder / "polite.txt").write_text("[user]\nPlease:\n\n$question\n")
    lines = [f"p{n},How much is {n} and 1 together?,{n + 1}" for n in range(rows - 1)]
    lines.append("again,How much is 0 and 1 together?,1")
    (folder / "q.csv").write_text("\n".join(["id,problem,gt", *lines]) + "\n")
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs"))
    night = Night.plan(load_recipe(folder / "r.yaml", sets=sets))
    night.begin()
    predict.begin(night)
    return night


@contextmanager
def up(night: Night, **models: Any) -> Iterator[tuple[Served, dict[str, str]]]:
    """Each model behind a server of its own that knows the file's answers; endpoints and URLs, by name."""
    urls: dict[str, str] = {}
    with ExitStack() as stack:
        for name, model in models.items():
            script = {"behaviour": "maths", "models": {name: model}, "answers": night.recipe.pool}
            urls[name] = stack.enter_context(scripted(Script.model_validate(script)))
        yield {name: Endpoint(model=name, urls=(url,), attempts=2) for name, url in urls.items()}, urls


def run(night: Night, served: Served) -> list[Submitted]:
    """Makes what is missing, as a run would."""
    for step in (predict, submission):
        for chunk in step.chunks(night):
            make(Job(night.store.place, night.name, night.stamp, chunk, served))
    submission.hand_in(night)
    return night.rows(submission.chunks(night), Submitted)


def rows(night: Night) -> list[Predicted]:
    return night.rows(predict.chunks(night), Predicted)


def asked(urls: dict[str, str]) -> dict[str, int]:
    return {name: counted(url)["total"] for name, url in urls.items()}


def test_every_id_gets_an_answer_and_what_was_asked_once_is_never_asked_again(tmp_path: Path) -> None:
    night = plan(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 0.5}) as (served, urls):
        found = run(night, served)
        assert [row.id for row in found] == [*(f"p{n}" for n in range(7)), "again"]
        assert found[0].answer == found[-1].answer == "1"
        assert asked(urls) == {"ann": 14, "ben": 14}
        table = list(csv.DictReader(submission.place(night).open()))
        assert [row["id"] for row in table] == [row.id for row in found]
        told = summary(night)
        assert told.judged is not None
        assert (told.judged.taken, told.judged.valid, told.requests) == (True, 8, 28)
        assert {one.name for one in told.voters} == {"ensemble", "ann/plain", "ann/polite", "ben/plain", "ben/polite"}
        assert {one.right and one.right.value for one in told.voters if one.name.startswith("ann")} == {1.0}

        own, *others = told.rules
        assert (own.strategy, own.own, {one.strategy for one in others}) == (
            "majority", True, {"unanimous", "numeric_average", "reliability"})  # fmt: skip
        assert own.right == told.whole.right
        assert {one.decided.n for one in told.rules} == {7}
        assert list(told.baselines) == ["always 7"]
        assert told.took is not None
        assert (told.took.problems, told.took.total_s) == (7, None)
        assert told.took.used_s is not None

        # The same again, other rules of voting, and fewer voters: nobody is asked.
        assert run(night, served) == found
        run(plan(tmp_path, "committee.strategy=reliability", "name=learned"), served)
        run(plan(tmp_path, "predict.models=[ann]", "predict.templates={polite: polite.txt}", "name=few"), served)
        assert asked(urls) == {"ann": 14, "ben": 14}
        (tmp_path / "new.txt").write_text("[user]\nOnce more:\n\n$question\n")
        run(plan(tmp_path, "predict.templates={plain: plain.txt, new: new.txt}", "name=more"), served)
        assert asked(urls) == {"ann": 21, "ben": 21}


def test_a_problem_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    night = plan(tmp_path, "predict.rounds=2", "predict.enough=1.0", rows=2)
    (problem,), (chunk,) = distinct(night), predict.chunks(night)

    def killed(row: Predicted) -> bool:
        raise KeyboardInterrupt

    with up(night, ann={"accuracy": 0.0}, ben={"accuracy": 1.0}) as (served, urls):
        with pytest.raises(KeyboardInterrupt):
            solve(night, chunk, problem, served, satisfied=killed, within_s=None)
        assert asked(urls) == {"ann": 2, "ben": 2}
        run(night, served)
        assert asked(urls) == {"ann": 4, "ben": 4}
    (row,) = rows(night)
    assert row.rounds == 2
    assert {len(said) for said in row.heard.values()} == {2}


def test_another_round_is_asked_only_where_the_committee_is_unsure(tmp_path: Path) -> None:
    night = plan(tmp_path, "predict.rounds=3")
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, urls):
        run(night, served)
        assert asked(urls) == {"ann": 14, "ben": 14}
    assert {row.rounds for row in rows(night)} == {1}


def test_the_time_for_all_holds_within_one_request_and_every_problem_has_its_row(tmp_path: Path) -> None:
    night = plan(tmp_path, "predict.budget={total_s: 2.5}", rows=9)
    slow, began = {"accuracy": 1.0, "latency_s": {"mean": 2.0}}, time.monotonic()
    with up(night, ann=slow, ben=slow) as (served, urls):
        predict.begin(night)
        found = run(night, served)
        sent = asked(urls)
    # Eight problems would take sixteen seconds; nothing is asked when the time is over.
    assert time.monotonic() - began < 60
    assert max(sent.values()) < 16
    assert len(found) == 9
    assert {row.by for row in found} <= {"votes", "stand_in", "guess"}
    assert found[-1].id == "again"
    reasons = {reason for row in rows(night) for reason in row.unheard.values()}
    assert reasons <= {"late", "no_time"}
    assert "no_time" in reasons


def test_a_slow_model_is_given_up_and_the_fast_one_answers_in_its_place(tmp_path: Path) -> None:
    night = plan(tmp_path, "predict.budget={per_problem_s: 3, fast: ben}")
    slow = {"accuracy": 0.0, "latency_s": {"mean": 60}}
    with up(night, ann=slow, ben={"accuracy": 1.0}) as (served, urls):
        found = run(night, served)
        assert [row.answer for row in found] == [*(str(n + 1) for n in range(7)), "1"]
        # After three problems in vain it isn't asked any more.
        assert asked(urls)["ann"] == 6
    told = summary(night)
    assert told.unheard == {name: {"late": 3, "no_time": 4} for name in ("ann/plain", "ann/polite")}


def test_with_one_model_dead_the_run_completes_and_says_so_and_asks_it_again_when_told(tmp_path: Path) -> None:
    night = plan(tmp_path)
    gone = {"ann": Endpoint(model="ann", urls=(f"http://127.0.0.1:{free_port()}/v1",), attempts=1)}
    with up(night, ben={"accuracy": 1.0}) as (served, urls):
        found = run(night, {**served, **gone})
        assert [row.answer for row in found] == [*(str(n + 1) for n in range(7)), "1"]
        told = summary(night)
        assert told.unheard == {name: {"no_answer": 7} for name in ("ann/plain", "ann/polite")}
        lost = [row for chunk, _ in night.made(predict.chunks(night)) for row in night.store.lines(chunk, dropped=True)]
        assert b"does not answer at" in lost[0]
    fresh = Night.open(night.store.place, night.name)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 1.0}) as (served, urls):
        assert redo.ask_again(fresh, "predict", None) == {"predict": 14}
        for chunk in predict.chunks(fresh):
            predict.make(fresh, chunk, served)
        assert asked(urls) == {"ann": 14, "ben": 0}


def test_with_all_models_dead_nothing_is_made_up(tmp_path: Path) -> None:
    night = plan(tmp_path)
    gone = Endpoint(model="ann", urls=(f"http://127.0.0.1:{free_port()}/v1",), attempts=1)
    with pytest.raises(WorldError, match="no model of the ensemble answers"):
        run(night, {"ann": gone})
    assert rows(night) == []


def test_an_answer_is_put_into_its_problem_where_that_allows_it(tmp_path: Path) -> None:
    night = plan(tmp_path)
    (tmp_path / "q.csv").write_text("id,problem,gt\na,Compute $3 + 4$.,7\nb,Solve for $x$: $2x + 1 = 15$.,7\n")
    night = plan_as_it_is(tmp_path)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 0.0}) as (served, _):
        found = run(night, served)
    assert [(row.answer, row.by) for row in found] == [("7", "check"), ("7", "check")]
    assert all(row.checked["7"] for row in rows(night))
    assert any(not fits for row in rows(night) for fits in row.checked.values())


def plan_as_it_is(folder: Path, *sets: str) -> Night:
    night = Night.plan(load_recipe(folder / "r.yaml", sets=sets))
    night.begin()
    return night


def test_what_cannot_be_handed_in_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    plan(tmp_path)
    (tmp_path / "sample.csv").write_text("id,answer\np0,0\nq9,0\n")
    with pytest.raises(DataError, match=r"1 of its ids are on no problem: q9"):
        submission.look(plan_as_it_is(tmp_path, "predict.sample=sample.csv"))
    (tmp_path / "q.csv").write_text("id,problem,gt\na,How much?,7\na,How many?,7\n")
    with pytest.raises(DataError, match="two problems have the id 'a'"):
        predict.chunks(plan_as_it_is(tmp_path))


def test_real_problems_with_whole_answers_are_answered(tmp_path: Path) -> None:
    file = DATA / "math" / "math_test_4500.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is not here (NIGHTSCHOOL_DATA)")
    plan(tmp_path)
    real = (f"pool={{file: {file}, kind: math, integers: [0, 99999], limit: 30, fields: {{id: idx}}}}",)
    night = plan_as_it_is(tmp_path, *real)
    with up(night, ann={"accuracy": 1.0}, ben={"accuracy": 0.6}) as (served, _):
        found = run(night, served)
    truths = [one.answer for one in distinct(night)]
    assert len(found) > 15
    agreed = [row.answer == truth for row, truth in zip(found, truths, strict=True) if row.by != "guess"]
    assert all(agreed)
    assert len(agreed) > 12
