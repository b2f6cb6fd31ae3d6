"""Files of questions: every kind that is read, every way to be wrong, and the order that is kept."""

from pathlib import Path

import pytest

from nightschool.errors import DataError
from nightschool.question_file import Loaded, load


def file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def loaded(path: Path, **given: str) -> Loaded:
    return load(path, question="problem", answer="answer", topic=given.get("topic"))


KINDS = {
    "q.jsonl": '{"problem": "1+1?", "answer": 2}\n\n{"problem": "2+2?", "answer": "4"}\n',
    "q.json": '[{"problem": "1+1?", "answer": 2}, {"problem": "2+2?", "answer": "4"}]',
    "q.csv": "problem,answer\n1+1?,2\n2+2?,4\n",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_the_same_questions_in_the_files_order(tmp_path: Path, name: str) -> None:
    found = loaded(file(tmp_path, name, KINDS[name])).questions
    assert [(row.question, row.answer) for row in found] == [("1+1?", "2"), ("2+2?", "4")]
    assert found[0].id == loaded(file(tmp_path, "again.jsonl", KINDS["q.jsonl"])).questions[0].id
    assert found[0].fields["problem"] == "1+1?"


def test_dirty_rows_are_dropped_with_a_reason_and_a_missing_answer_is_no_reason(tmp_path: Path) -> None:
    text = (
        '{"problem": "a", "answer": null}\n{"problem": " "}\n{"problem": null}\n{"problem": "a"}\n{"problem": ["x"]}\n'
        '{"other": 1}\n'
    )
    found = loaded(file(tmp_path, "q.jsonl", text))
    assert [(row.question, row.answer) for row in found.questions] == [("a", None)]
    assert [(row.id, row.reason) for row in found.dropped] == [
        ("line-2", "no_question"),
        ("line-3", "no_question"),
        ("line-4", "duplicate"),
        ("line-5", "no_question"),
        ("line-6", "no_question"),
    ]


def test_the_same_question_under_two_topics_is_two(tmp_path: Path) -> None:
    text = '{"problem": "a", "type": "x"}\n{"problem": "a", "type": "y"}\n'
    assert [row.topic for row in loaded(file(tmp_path, "q.jsonl", text), topic="type").questions] == ["x", "y"]


def test_a_limit_takes_the_first_rows(tmp_path: Path) -> None:
    path = file(tmp_path, "q.jsonl", KINDS["q.jsonl"])
    assert [row.question for row in load(path, question="problem", answer=None, topic=None, limit=1).questions] == [
        "1+1?"
    ]


BAD = {
    "half a line": ("q.jsonl", '{"problem": "a"}\n{"problem": \n', "q.jsonl:2: not JSON"),
    "no record": ("q.jsonl", '{"problem": "a"}\n[1]\n', "q.jsonl:2: a row must be a record with named fields"),
    "no list": ("q.json", '{"problem": "a"}', "q.json: the file must be one list of records"),
    "broken list": ("q.json", '[{"problem": "a"},\n {"pro', "q.json:2: not JSON"),
    "another kind": ("q.txt", "a", "a file of questions ends in .jsonl, .json, .csv, not in '.txt'"),
    "other fields": ("q.jsonl", '{"question": "a", "n": 1}', "no row has the field 'problem'; the rows have: n, quest"),
    "a row too short": ("q.csv", "problem,answer\na\n", "q.csv:2: a row has more or fewer fields than the first line"),
    "a row too long": ("q.csv", "problem,answer\na,b,c\n", "q.csv:2: a row has more or fewer fields"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    where, text, message = BAD[name]
    with pytest.raises(DataError) as caught:
        loaded(file(tmp_path, where, text))
    assert message in str(caught.value)
