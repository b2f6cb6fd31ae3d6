"""A submission against the contest's own sample file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.contest_file import find_contest, judge_file, load_contest, read_sample
from nightschool.errors import DataError, RecipeError

AIMO = load_contest(find_contest("aimo"))
SAMPLE = "id,answer\na1,0\n07,0\nc3,0\n"


def judged(folder: Path, mine: str, sample: str = SAMPLE) -> tuple[list[str], list[str], bool]:
    """Rules that the file breaks, those that its rows break, and whether it is taken."""
    (folder / "mine.csv").write_text(mine)
    (folder / "sample.csv").write_text(sample)
    found = judge_file(folder / "mine.csv", AIMO, sample=folder / "sample.csv")
    return [one.rule for one in found.whole], [one.rule for row in found.rows for one in row.breaches], found.taken


@pytest.mark.parametrize(
    ("mine", "whole", "rows"),
    [
        ("id,answer\na1,5\n07,99999\nc3,0\n", [], []),
        ("id,answer\na1,5\nc3,0\n", ["missing_id"], []),
        ("id,answer\n07,5\na1,5\nc3,0\n", ["other_order"], []),
        ("answer,id\n5,a1\n5,07\n5,c3\n", ["other_columns"], []),
        ("id,answer\na1,5\n7,5\nc3,0\n", ["missing_id"], ["unknown_id"]),
        ("id,answer\na1,5\n07,5\nc3,0\nd4,1\n", [], ["unknown_id"]),
        ("id,answer\na1,5\n07,5\n07,5\nc3,0\n", [], ["repeated"]),
        ("id,answer\na1,-5\n07,5\nc3,0\n", [], ["out_of_range"]),
    ],
)
def test_a_file_has_the_columns_and_the_ids_of_the_sample(
    tmp_path: Path, mine: str, whole: list[str], rows: list[str]
) -> None:
    assert judged(tmp_path, mine) == (whole, rows, not whole)


def test_a_sample_without_ids_is_none(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("name,answer\na,0\n")
    with pytest.raises(DataError, match="no sample: its rows have no id"):
        read_sample(tmp_path / "sample.csv", AIMO.files["submission"])


def test_a_contest_is_found_by_its_name_or_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("")
    assert find_contest("mine.yaml", tmp_path) == tmp_path / "mine.yaml"
    with pytest.raises(RecipeError, match="aaipl, aimo"):
        find_contest("nowhere")
