"""Rows of other programs: one shape for solutions and critiques, whatever is missing in them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from blocks.export_files import write_rows
from nightschool.exports.lesson import Lesson, of_critique, of_question
from nightschool.exports.shapes import FORMATS
from nightschool.exports.verl_reward import compute_score
from nightschool.prompts import Prompt
from nightschool.records import CritiqueRow, CritiqueSource, Question
from nightschool.wire import Message

ASKED = Question(id="q1", topic="", question="1+1?", choices=(), truth=None, key=None, source="file",
                 check="unchecked", answer="2")  # fmt: skip
CRITIQUE = CritiqueRow(
    id="q1-ann-3", prompt=(Message(role="user", content="Is 3 right?"),), target="wrong", question="1+1?",
    solution="It is 3.", ground_truth="2", data_source="mine/critique",
    extra_info=CritiqueSource(question_id="q1", topic="sums", teacher="ann", sample=3, value="3"),
)  # fmt: skip


def lessons() -> list[Lesson]:
    asked = of_question(ASKED, Prompt(system=None, user="$question"), "math", side="train")
    assert asked is not None
    return [asked, of_critique(CRITIQUE.model_copy(update={"side": "test"}))]


def test_a_critique_and_a_question_are_rows_of_one_table(tmp_path: Path) -> None:
    verl = FORMATS["verl"]
    for place, lesson in enumerate(lessons()):
        write_rows(tmp_path / f"{place}.parquet", [verl.row(lesson, place, lesson.data_source or "x")], verl.columns)
    one, two = (pq.read_table(tmp_path / f"{place}.parquet") for place in range(2))
    asked, critique = pa.concat_tables([one, two]).to_pylist()
    assert (asked["data_source"], asked["ability"], asked["reward_model"]["ground_truth"]) == ("x", "math", "2")
    assert (critique["data_source"], critique["ability"]) == ("mine/critique", "critique")
    assert critique["reward_model"] == {"style": "rule", "ground_truth": "wrong"}
    assert critique["extra_info"] == {
        "index": 1, "split": "test", "id": "q1-ann-3", "question_id": "q1", "name": None, "question": "1+1?",
        "topic": "sums", "level": None, "answer": "2", "weight": 1.0, "teacher": "ann", "sample": 3,
        "solution": "It is 3.", "value": "3",
    }  # fmt: skip


def test_every_format_gives_every_row_all_of_its_columns() -> None:
    for form in FORMATS.values():
        for lesson in lessons():
            assert set(form.row(lesson, 0, "x")) == set(form.columns)


def test_a_question_without_an_answer_is_no_row() -> None:
    asked = ASKED.model_copy(update={"answer": None})
    assert of_question(asked, Prompt(system=None, user="$question"), "math", side="train") is None


@pytest.mark.parametrize(
    ("reply", "due", "score"),
    [
        ("The sum is off. Conclusion: wrong [END]", "wrong", 1.0),
        ("The sum is off. Conclusion: wrong [END]", "right", 0.0),
        ("**Conclusion:** **Right**", "right", 1.0),
        (r"Conclusion: \boxed{\text{wrong}}", "wrong", 1.0),
        ("Conclusion: right? No.\nConclusion: wrong", "wrong", 1.0),
        ("<think>Conclusion: right</think>It is wrong.\nConclusion: wrong", "wrong", 1.0),
        ("I am to say 'Conclusion: right/wrong'.", "right", 0.0),
        ("His answer is right.", "right", 0.0),
        ("Conclusion: rightly so", "right", 0.0),
        ("", "wrong", 0.0),
    ],
)
def test_the_reward_of_a_judgement_is_its_last_conclusion(reply: str, due: str, score: float) -> None:
    assert compute_score("nightschool_critique", reply, due) == score
