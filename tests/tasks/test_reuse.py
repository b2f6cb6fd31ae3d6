"""What a night says before it begins: what is used again, made, made anew, and refused."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from nightschool.errors import Refused
from tasks import answers, questions
from tasks.night import Night
from tasks.reuse import Verdict, refuse, reuse
from tests.half_night import Make
from tests.tasks.conftest import fill, serving

DATA = ("questions", "pool", "answers", "committee", "balance")


def said(night: Night) -> dict[str, Verdict]:
    return {verdict.phase: verdict for verdict in reuse(night)}


def test_a_night_that_is_new_makes_everything(make: Make) -> None:
    found = said(make())
    assert {verdict.word for verdict in found.values()} == {"make"}
    assert found["questions"].line == "questions: make 4 chunks"


def test_what_is_there_is_used_and_what_is_missing_is_made(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served, *DATA)
    first, *rest = answers.chunks(night)
    night.store.path(first, "manifest.json").unlink()
    found = said(make())
    assert found["pool"].line == "pool: reuse 1 chunk"
    assert found["answers"].line == f"answers: make 1 of {len(rest) + 1} chunks"


def test_a_change_is_told_with_its_file_and_the_chunks_that_it_costs(make: Make, tmp_path: Path) -> None:
    with serving() as served:
        fill(make(), served, *DATA)
    (tmp_path / "answers.txt").write_text("[user]\nThink.\n$question\n$choices\n", encoding="utf-8")
    night = make()
    found = said(night)
    count = len(answers.chunks(night))
    assert found["questions"].line == "questions: reuse 4 chunks"
    assert found["answers"].line == f"answers: redo {count} chunks, because answers.txt changed"
    assert found["committee"].line == "committee: redo 1 chunk, because answers.txt changed"


def test_another_teacher_makes_its_own_chunks_and_no_other(make: Make) -> None:
    one = "teachers=[{name: alba, model: alba, script: {models: {alba: {accuracy: 0.9}}}}]"
    sets = ["questions=null", "committee.quorum=1"]
    with serving() as served:
        fill(make(*sets, one), served, "pool", "answers")
    found = said(make(*sets))["answers"]
    assert (found.word, found.whole, found.chunks) == ("make", found.chunks // 2, found.chunks)
    assert found.because == "teachers alba -> alba, bruno"


def test_damaged_files_are_told(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions")
    path = night.store.path(questions.chunks(night)[0], "rows.jsonl.zst")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert said(make())["questions"].line == "questions: redo 1 of 4 chunks, because files of 1 of them were damaged"


def test_rows_of_newer_rules_are_left_alone(make: Make) -> None:
    night = make()
    with serving() as served:
        fill(night, served, "questions", "pool")
    file = night.dir / "night.json"
    facts = orjson.loads(file.read_bytes())
    facts["rules"]["pool"] = 99
    file.write_bytes(orjson.dumps(facts))
    with pytest.raises(Refused, match=r"pool: refuse 1 chunk, because newer rules made it \(99.*another --name"):
        refuse(reuse(make()))
