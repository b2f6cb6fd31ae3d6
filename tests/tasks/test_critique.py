"""Critiques of real solutions: Qwen2.5-Math's samples of 100 MATH problems, through the steps of a night."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from benchmarks.answer_values import SAMPLES
from benchmarks.real_data import missing, rows
from nightschool.prompts import Prompt
from nightschool.recipe.critique import Critique
from nightschool.recipe.load import load_recipe
from nightschool.records import CritiqueRow, Dropped, Question, Said, Solutions
from tasks import answers, critique, dpo, pairs, pool, stages
from tasks.export import Order, export
from tasks.night import Night
from tasks.steps import STEPS

RECIPE = """
name: critiques
store: {store}
seed: 7
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
pool: {{file: q.jsonl, fields: {{question: question, answer: gt}}}}
answers: {{reply: text, value: latex, prompt: p.txt, samples: 4, chunk_rows: 30}}
critique: {{prompt: c.txt, per_question: 4, shares: {shares}, data_source: math_critique}}
"""


def make(night: Night, phase: str) -> None:
    for chunk in STEPS[phase].chunks(night):
        made = STEPS[phase].make(night, chunk, {})
        night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)


LEARNING = """
student: {name: pupil, model: tiny, prompt: p.txt}
splits: {test: 0.3}
sft: {teaches: {answers: 1, critiques: 1}, learning_rate: 1e-3}
pairs: {samples: 2}
dpo: {name: judge, teaches: critiques, learning_rate: 1e-4}
validate: {}
"""


def critiqued(folder: Path, shares: str, records: list[dict[str, Any]], more: str = "") -> Night:
    """A night whose first teacher said the first four samples of each record, and the second the others."""
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "c.txt").write_text("[user]\nJudge.\n$question\n$solution\n")
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs", shares=shares) + more)
    night = Night.plan(load_recipe(folder / "r.yaml"))
    make(night, "pool")
    asked = night.rows(pool.chunks(night), Question)
    texts = {record["question"]: record["code"] for record in records}
    for chunk in answers.chunks(night):
        mine = slice(0, 4) if chunk.part == "ann" else slice(4, 8)
        solved = [
            Solutions(id=one.id, teacher=chunk.part,
                      said=tuple(Said(text=text, finish="stop") for text in texts[one.question][mine]))
            for one in asked[chunk.index * 30 : chunk.index * 30 + chunk.rows]
        ]  # fmt: skip
        night.store.commit(chunk, rows=solved, dropped=[], figures={})
    for phase in ("merge", "committee", "splits", "critique"):
        make(night, phase)
    return night


def test_a_judgement_that_is_due_is_preferred_to_the_other(tmp_path: Path) -> None:
    said = [f"It is \\boxed{{{n}}}, I think." for n in (7, 7, 8, 9)]
    records = [{"question": f"What is {n} + {7 - n}?", "gt": "7", "code": said * 2} for n in range(20)]
    night = critiqued(tmp_path, "equal", records, LEARNING)
    rows, later = zip(*dpo.judged(night, stages.learner(night).stage("judge"), "train"), strict=True)
    drawn = {row.id: row for row in night.rows(critique.chunks(night), CritiqueRow) if row.side == "train"}
    assert drawn
    assert [row.id for row in rows] == list(drawn)
    assert [one.prompt for one in later] == [row.prompt for row in rows]
    for row in rows:
        due, other = row.chosen[-1].content, row.rejected[-1].content
        assert drawn[row.id].target in due
        assert {due, other} == {due.replace("wrong", "right"), due.replace("right", "wrong")}
    assert not pairs.chunks(night)


def test_judgements_go_to_verl_with_the_reward_that_pays_what_is_taught(tmp_path: Path) -> None:
    said = [f"It is \\boxed{{{n}}}, I think." for n in (7, 7, 8, 9)]
    records = [{"question": f"What is {n} + {7 - n}?", "gt": "7", "code": said * 2} for n in range(4)]
    night = critiqued(tmp_path, "equal", records)
    found = export(night, Order("verl", phase="critique"), tmp_path / "out")
    assert "reward.py" in found.files
    score = runpy.run_path(str(tmp_path / "out" / "reward.py"))["compute_score"]
    reply = Critique(prompt=Prompt(system=None, user="$question $solution")).reply
    judged = pq.read_table(tmp_path / "out" / "train.parquet").to_pylist()
    truths = [(row["data_source"], row["reward_model"]["ground_truth"]) for row in judged]
    assert {truth for _, truth in truths} == {"right", "wrong"}
    for source, truth in truths:
        paid = {said: score(source, reply.replace("$judgement", said), truth) for said in ("right", "wrong")}
        assert paid == {"right": float(truth == "right"), "wrong": float(truth == "wrong")}


@pytest.mark.skipif(bool(missing(SAMPLES)), reason=missing(SAMPLES) or "")
@pytest.mark.parametrize("shares", ["equal", "drawn"])
def test_real_solutions_become_critiques_of_their_own_questions(tmp_path: Path, shares: str) -> None:
    records = list(rows(SAMPLES))
    night = critiqued(tmp_path, shares, records)
    drawn = night.rows(critique.chunks(night), CritiqueRow)
    truth = {record["question"]: dict(zip(map(str.strip, record["code"]), record["score"], strict=True))
             for record in records}  # fmt: skip
    wrong = [row.id for row in drawn if (row.target == "right") is not bool(truth[row.question][row.solution])]
    assert len(wrong) <= 1, "math-verify and the published grades differ on one of these 800"
    dropped = list(night.each(critique.chunks(night), Dropped, dropped=True))
    questions = {row.extra_info.question_id for row in drawn}
    assert questions.isdisjoint(row.id for row in dropped)
    assert len(questions) + len(dropped) == len(records)
    found = critique.measured(night)
    assert found is not None
    assert (found.questions, found.dropped) == (len(questions), Counter(row.reason for row in dropped))
    sums = {name: sum(each.values()) for name, each in found.judgements.items()}
    assert sums == Counter(row.extra_info.teacher for row in drawn)
    if shares == "equal":
        assert Counter(row.target for row in drawn)["right"] * 2 == len(drawn) > 0
