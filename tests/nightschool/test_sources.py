"""Files of questions: every kind that is read, every way to be wrong, and the order that is kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightschool.errors import DataError
from nightschool.sources.kinds import Names
from nightschool.sources.load import Loaded, Where, load
from nightschool.sources.mapping import Form

NAMES = Names(("problem",), answer="answer")


def file(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(*paths: Path, names: Names = NAMES, bad: float = 0, **where: Any) -> Loaded:
    return load(Where(paths, **where), Form(names=names), max_bad_rows=bad)


def reasons(found: Loaded) -> list[tuple[str, str]]:
    return [(row.id.rpartition(":")[2], row.reason) for row in found.dropped]


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)


ROWS = [{"problem": "1+1?", "answer": 2}, {"problem": "2+2?", "answer": 4}]
KINDS_OF_FILES = {
    "q.jsonl": '{"problem": "1+1?", "answer": 2}\n\n{"problem": "2+2?", "answer": "4"}\n',
    "bom.jsonl": '\ufeff{"problem": "1+1?", "answer": 2}\r\n{"problem": "2+2?", "answer": "4"}',
    "q.json": '[{"problem": "1+1?", "answer": 2}, {"problem": "2+2?", "answer": "4"}]',
    "lines.json": '{"problem": "1+1?", "answer": 2}\n{"problem": "2+2?", "answer": "4"}\n',
    "q.csv": "problem,answer\n1+1?,2\n2+2?,4\n",
    "excel.csv": "\ufeffproblem;answer\r\n1+1?;2\r\n2+2?;4\r\n",
    "q.tsv": 'problem\tanswer\n1+1?\t2\n\n"2+2?"\t4\n',
}


@pytest.mark.parametrize("name", KINDS_OF_FILES)
def test_every_kind_gives_the_same_questions_in_the_files_order(tmp_path: Path, name: str) -> None:
    found = list(loaded(file(tmp_path, name, KINDS_OF_FILES[name])).questions)
    assert [(row.question, row.answer) for row in found] == [("1+1?", "2"), ("2+2?", "4")]
    again = loaded(file(tmp_path, "again.jsonl", KINDS_OF_FILES["q.jsonl"])).questions
    assert [row.id for row in found] == [row.id for row in again]
    assert found[0].fields["problem"] == "1+1?"


def test_parquet_gives_the_same_and_neither_nan_nor_bytes(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{**row, "score": float("nan"), "picture": b"\xff"} for row in ROWS]
    write_parquet(tmp_path / "q.parquet", rows)
    found = list(loaded(tmp_path / "q.parquet").questions)
    assert [(row.question, row.answer) for row in found] == [("1+1?", "2"), ("2+2?", "4")]
    assert found[0].fields == {"problem": "1+1?", "answer": 2, "score": None, "picture": None}


def test_a_folder_that_datasets_saved_is_read_with_its_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    one = datasets.Dataset.from_list(ROWS)
    one.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": one, "test": one.select([1])}).save_to_disk(tmp_path / "both")
    assert [row.answer for row in loaded(tmp_path / "one").questions] == ["2", "4"]
    assert [row.answer for row in loaded(tmp_path / "both", split="test").questions] == ["4"]
    with pytest.raises(DataError, match=r"which split is meant \(pool.split\)\? This data set has: train, test"):
        loaded(tmp_path / "both")


def test_a_folder_of_files_is_read_by_name_and_a_record_alone_is_a_row(tmp_path: Path) -> None:
    file(tmp_path, "train/algebra/1.json", '{"problem": "1+1?", "answer": 2}')
    file(tmp_path, "train/number/1.json", '{"problem": "2+2?", "answer": 4}')
    file(tmp_path, "test/1.json", '{"problem": "3+3?"}')
    file(tmp_path, "README.md", "nothing to read")
    assert [row.answer for row in loaded(tmp_path, split="train").questions] == ["2", "4"]
    file(tmp_path, "train/number/2.json", '{"problem": "2+2?", "answer": 4}')
    assert next(iter(loaded(tmp_path, split="train").dropped)).detail == (
        "number/2.json:1: the same question as number/1.json:1"
    )
    with pytest.raises(DataError, match="no file of the split 'dev'"):
        loaded(tmp_path, split="dev")


def test_duplicates_are_found_across_files_and_signs_are_no_blanks(tmp_path: Path) -> None:
    first = file(tmp_path, "a.jsonl", '{"problem": "What is 1 + 2?"}\n{"problem": "What is 1 - 2?"}\n')
    second = file(tmp_path, "b.jsonl", '{"problem": "What  is\\n1 + 2?"}\n')
    found = loaded(first, second, names=Names(("problem",)))
    assert [row.question for row in found.questions] == ["What is 1 + 2?", "What is 1 - 2?"]
    assert [(row.id, row.reason) for row in found.dropped] == [("b.jsonl:1", "duplicate")]


def test_the_same_question_under_two_topics_is_two(tmp_path: Path) -> None:
    path = file(tmp_path, "q.jsonl", '{"problem": "a", "type": "x"}\n{"problem": "a", "type": "y"}\n')
    assert [row.topic for row in loaded(path, names=Names(("problem",), topic="type")).questions] == ["x", "y"]


def test_a_limit_takes_the_first_rows(tmp_path: Path) -> None:
    path = file(tmp_path, "q.jsonl", KINDS_OF_FILES["q.jsonl"])
    assert [row.question for row in loaded(path, limit=1).questions] == ["1+1?"]


ROTTEN = {
    "no JSON": (b'{"problem": \n', "not_json"),
    "no record": (b"[1]\n", "no_record"),
    "no question": (b'{"problem": null}\n', "no_question"),
    "a list for a question": (b'{"problem": [{"a": null}]}\n', "no_question"),
    "blank": (b'{"problem": " "}\n', "no_question"),
    "NaN": (b'{"problem": "a?", "answer": NaN}\n', "not_finite"),
    "a key twice": (b'{"problem": "a?", "answer": 1, "answer": 2}\n', "key_twice"),
    "latin-1": ('{"problem": "caf\u00e9?"}\n'.encode("latin-1"), "not_text"),
    "half a surrogate pair": (b'{"problem": "\\ud800?"}\n', "not_text"),
    "too deep": (b'{"problem": ' + b"[" * 100_000 + b"\n", "not_json"),
    "a huge line": (b'{"problem": "' + b"x" * 11_000_000 + b'"}\n', "too_long"),
    "a huge question": (b'{"problem": "' + b"x" * 200_000 + b'"}\n', "too_long"),
}


@pytest.mark.parametrize("name", ROTTEN)
def test_a_bad_row_is_dropped_with_its_reason_and_named_with_its_line(tmp_path: Path, name: str) -> None:
    line, reason = ROTTEN[name]
    path = file(
        tmp_path, "q.jsonl", b'{"problem": "1+1?", "answer": 2}\n' + line + b'{"problem": "2+2?", "answer": 4}\n'
    )
    found = loaded(path, bad=1)
    assert [row.question for row in found.questions] == ["1+1?", "2+2?"]
    assert reasons(found) == [("2", reason)]
    with pytest.raises(DataError, match=r"q.jsonl: 1 of 3 rows are bad, 0 may be \(pool.max_bad_rows\): q.jsonl:2: "):
        loaded(path)


def test_a_share_of_bad_rows_is_rounded_up_and_the_first_five_are_told(tmp_path: Path) -> None:
    path = file(tmp_path, "q.jsonl", '{"problem": "1+1?", "answer": 2}\n' * 4 + "{\n" * 6)
    with pytest.raises(DataError) as caught:
        loaded(path, bad=0.5)
    assert "6 of 10 rows are bad, 5 may be" in str(caught.value)
    assert str(caught.value).count("q.jsonl:") == 6
    assert reasons(loaded(path, bad=0.51))[:3] == [("2", "duplicate"), ("3", "duplicate"), ("4", "duplicate")]


def test_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = file(
        tmp_path, "q.jsonl", '{"problem": "a", "answer": 1180591620717411303424}\n{"problem": "b", "answer": -0.5}'
    )
    assert [row.answer for row in loaded(path).questions] == ["1180591620717411303424", "-0.5"]


def test_a_missing_answer_is_no_flaw_of_a_plain_file(tmp_path: Path) -> None:
    path = file(tmp_path, "q.jsonl", '{"problem": "a", "answer": null}\n{"problem": "b"}\n')
    assert [row.answer for row in loaded(path).questions] == [None, None]


def test_rows_of_a_table_are_known_by_their_first_line(tmp_path: Path) -> None:
    text = 'problem,answer\n"two\nlines",1\na\na,b,c\n"b"x,1\nlast,5\n"open,1\n'
    found = loaded(file(tmp_path, "q.csv", text), bad=9)
    assert [row.question for row in found.questions] == ["two\nlines", "last"]
    assert reasons(found) == [("4", "other_columns"), ("5", "other_columns"), ("6", "not_csv"), ("8", "not_csv")]


def test_a_list_within_a_document_is_named_by_its_place_and_rows_by_their_lines(tmp_path: Path) -> None:
    text = '{"canary": "x", "data": {"n": [1],\n "rows": [{"problem": "a"},\n\n {"problem": NaN}, {"problem": "b"}]}}'
    path = file(tmp_path, "q.json", text)
    found = loaded(path, place="data.rows", names=Names(("problem",)), bad=1)
    assert [row.question for row in found.questions] == ["a", "b"]
    assert reasons(found) == [("4", "not_finite")]
    with pytest.raises(
        DataError, match=r"one list of records; pool.rows names the list in it, which has: canary, data"
    ):
        loaded(path)
    with pytest.raises(DataError, match=r"there is no 'row' \(pool.rows\) in it; it has: n, rows"):
        loaded(path, place="data.row")


def test_an_encoding_is_declared_and_never_guessed(tmp_path: Path) -> None:
    text = "problem,answer\ncaf\u00e9?,1\n"
    for encoding in ("latin-1", "utf-16"):
        path = file(tmp_path, f"{encoding}.csv", text.encode(encoding))
        assert [row.question for row in loaded(path, encoding=encoding).questions] == ["caf\u00e9?"]
        with pytest.raises(DataError, match=r"pool\.encoding"):
            loaded(path)
    with pytest.raises(DataError, match=r"latin-1.csv:2: not utf-8"):
        loaded(tmp_path / "latin-1.csv")


BAD = {
    "broken list": ("q.json", '[{"problem": "a"},\n {"pro', "q.json:2: not JSON"),
    "no comma": ("q.json", '[{"problem": "a"}\n\n {"problem": "b"}]', "q.json:3: not JSON: a comma or the end"),
    "another kind": ("q.txt", "a", "a file of questions ends in .jsonl, .json, .csv, .tsv, .parquet or .arrow, not in"),
    "other fields": ("q.jsonl", '{"question": "a", "n": 1}', "no row has the field 'problem' (pool.fields.question)"),
    "no such answer": ("q.jsonl", '{"problem": "a", "n": 1}', "no row has the field 'answer' (pool.fields.answer)"),
    "no rows": ("q.jsonl", "\n\n", "there are no rows in it"),
    "nothing at all": ("q.csv", "", "there are no rows in it"),
    "no question at all": (
        "q.jsonl",
        '{"problem": "", "answer": 1}',
        "none of its 1 rows is a question: 1 no_question",
    ),
    "no list": ("q.json", "7", "q.json:1: the file must be one list of records"),
    "no parquet": ("q.parquet", "PAR1", "not Parquet"),
    "columns of one name": ("q.csv", "problem,a,a\n", "two columns are named a"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    where, text, message = BAD[name]
    with pytest.raises(DataError) as caught:
        loaded(file(tmp_path, where, text), bad=9)
    assert message in str(caught.value)
    assert where in str(caught.value)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow"])
def test_no_bytes_do_worse_than_a_data_error(tmp_path: Path, suffix: str) -> None:
    good = {".json": KINDS_OF_FILES["q.json"], ".csv": KINDS_OF_FILES["q.csv"]}.get(suffix, KINDS_OF_FILES["q.jsonl"])

    @given(st.binary(max_size=60), st.integers(0, len(good)), st.integers(0, 30))
    @settings(max_examples=120)
    def spoilt(noise: bytes, at: int, length: int) -> None:
        data = good.encode()
        path = file(tmp_path, f"q{suffix}", data[:at] + noise + data[at + length :])
        with suppress(DataError):
            found = loaded(path, names=Names(("problem",)), bad=0.999)
            assert found.rows == len(found.questions) + len(found.dropped)
            assert all(row.reason and row.detail for row in found.dropped)
            assert all(row.model_dump_json() for row in found.questions)

    spoilt()


def test_a_question_that_stands_twice_is_dropped_also_on_one_line_and_in_one_file_named_twice(tmp_path: Path) -> None:
    path = file(tmp_path, "q.json", '[{"problem": "a", "answer": 1}, {"problem": "a", "answer": 1}]')
    found = loaded(path, path)
    assert [row.question for row in found.questions] == ["a"]
    assert [row.detail for row in found.dropped] == ["q.json:1: the same question as q.json:1"] * 3
