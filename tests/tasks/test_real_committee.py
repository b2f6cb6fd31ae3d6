"""Real models' answers, ruled on by a night: the same figures on the terminal, in JSON, on the page and in Prefect."""

from __future__ import annotations

import html
import re

import orjson
import pytest

from benchmarks.committee_real import CHAINS, TRUTH, strategyqa
from benchmarks.real_data import missing, rows
from nightschool.chunks import Chunk
from nightschool.recipe.load import load_recipe
from nightschool.records import Question, Said, Solutions
from nightschool.report.figures import Report
from nightschool.report.markdown import parts
from nightschool.report.page import render
from nightschool.report.terminal import summary_lines
from nightschool.report.votes import voters_table
from nightschool.statistics import wilson
from nightschool.voting import Rule, decide
from tasks import pool
from tasks.ledger import Run
from tasks.night import Night
from tasks.report import report
from tasks.step import Made
from tasks.steps import STEPS

pytestmark = pytest.mark.skipif(bool(missing(TRUTH, *CHAINS.values())), reason=str(missing(TRUTH, *CHAINS.values())))
TEACHERS = {"gpt4": "gpt4", "gpt-3-5": "gpt-3.5-turbo", "text003": "text003"}
RECIPE = """
name: real
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: gpt4, model: a}}, {{name: gpt-3-5, model: b}}, {{name: text003, model: c}}]
pool: {{file: q.jsonl, fields: {{question: question, answer: truth, id: id}}}}
answers: {{reply: text, value: yes_no, prompt: p.txt, chunk_rows: 500}}
committee: {{quorum: 1, min_agreement: 0.5}}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("real")
    asked = [{**row, "id": str(row["id"]), "truth": "yes" if row["answer"] else "no"} for row in rows(TRUTH)]
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in asked))
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs"))
    night = Night.plan(load_recipe(folder / "r.yaml"))
    said = {name: {str(row["id"]): row["completion"] for row in rows(CHAINS[file])} for name, file in TEACHERS.items()}
    for phase in ("pool", "answers", "merge", "committee"):
        for chunk in STEPS[phase].chunks(night):
            made = STEPS[phase].make(night, chunk, {}) if phase != "answers" else _answered(night, chunk, said)
            night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)
    return report(night, Run(started="2026-01-02T03:04:05+00:00"))


def _answered(night: Night, chunk: Chunk, said: dict[str, dict[str, str]]) -> Made:
    """What a teacher once said to a chunk's questions; some it was never asked."""
    mine, by_name = night.run_of(pool.chunks(night), Question, 500, chunk.index), said[chunk.part]
    return Made(
        [
            Solutions(id=one.id, teacher=chunk.part, said=(Said(text=by_name[one.name], finish="stop"),))
            for one in mine
            if one.name in by_name
        ]
    )


def shown(right: int, n: int) -> tuple[str, str]:
    low, high = wilson(right, n)
    return f"{right / n:.1%}", f"{low:.1%} to {high:.1%}"


def test_each_teachers_and_the_votes_shares_are_those_of_the_files_wherever_they_stand(found: Report) -> None:
    texts = [row["question"] for row in rows(TRUTH)]
    asked = [one for place, one in enumerate(strategyqa().questions) if texts.index(texts[place]) == place]
    decided = [(truth, decide(cast, Rule(), names={}).value) for truth, cast in asked]
    expected = {"the votes": [truth == value for truth, value in decided if value]}
    for name, file in TEACHERS.items():
        cast = [(truth, one.value) for truth, ballots in asked for one in ballots if one.teacher == file]
        expected[name] = [truth == value for truth, value in cast if value]
    told = Report.model_validate_json(found.model_dump_json())
    assert told.votes
    assert told.votes.asked == len(asked) == 2289, "one of them is there twice"
    head, table = voters_table(told.votes)
    lines = {row[0]: dict(zip(head, row, strict=True)) for row in table}
    page = " ".join(html.unescape(re.sub("<[^>]+>", " ", render(found))).split())
    prefect = re.sub(r"\\(.)", r"\1", parts(found)["committee"])
    for name, right in expected.items():
        share, interval = shown(sum(right), len(right))
        assert (lines[name]["right"], lines[name]["95% interval"]) == (share, interval)
        cells = [" ".join(lines[name][column].split()) for column in head if lines[name][column]]
        assert " ".join(cells) in page
        assert f"| {' | '.join(cells)}" in prefect
    votes = shown(sum(expected["the votes"]), len(expected["the votes"]))
    terminal = "\n".join(summary_lines(found))
    assert f"the votes  {votes[0]:>6} right ({votes[1]}, n {len(expected['the votes']):,})" in terminal
    assert told.marks
    for one in told.marks.teachers:
        assert one.right
        share, interval = f"{one.right.value:.1%}", f"{one.right.low:.1%} to {one.right.high:.1%}"
        assert f"{one.name:<10} {share:>6} right ({interval}, n {one.right.n:,})" in terminal
        assert share in page
        assert share in re.sub(r"\\(.)", r"\1", parts(found)["rows"])
