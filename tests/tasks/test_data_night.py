"""A night that only makes data: a file's questions, solved in chunks, merged in the file's order."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.errors import DataError
from nightschool.recipe.load import load_recipe
from nightschool.solved import Solved
from nightschool.wire import Endpoint
from tasks import answers, merge
from tasks.funnel import funnel, marks
from tasks.night import Night
from tasks.rows import lines
from tasks.steps import STEPS
from tests.file_night import make

RECIPE = """
name: data
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
pool: {{file: q.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: p.txt, samples: 2, chunk_rows: 4}}
"""


@pytest.fixture
def night(tmp_path: Path) -> Night:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    (tmp_path / "q.jsonl").write_text("".join(f'{{"problem": "{n}+1?", "level": {n}}}\n' for n in range(10)))
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    return Night.plan(load_recipe(tmp_path / "r.yaml"))


def test_the_merge_has_every_question_in_order_with_its_own_solutions(night: Night) -> None:
    script = Script(behaviour="echo", models={name: ScriptedModel() for name in ("ann", "ben")})
    with scripted(script) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in ("ann", "ben")}
        make(night, served, "pool", "answers", "merge")
        rows = night.rows(merge.chunks(night), Solved)
        assert [row.question.fields["level"] for row in rows] == list(range(10))
        read = [row for chunk in merge.chunks(night)
                for row in merge.texts(night, chunk, night.store.rows(chunk, Solved))]  # fmt: skip
        assert [row for row, _ in read] == rows
        for row, wrote in read:
            said = {name: line.texts for name, line in wrote.items()}
            assert {name: len(each.values) for name, each in row.solutions.items()} == {"ann": 2, "ben": 2}
            assert said == dict.fromkeys(("ann", "ben"), [f"Solve: {row.question.question}"] * 2)
        printed = orjson.loads(next(iter(lines(night, "merge", 1))))
        assert printed["solutions"]["ben"]["texts"][1] == "Solve: 4+1?"
        lost = STEPS["answers"].chunks(night)[1]
        night.store.forget(lost)
        assert [chunk.index for chunk in merge.chunks(night) if not night.store.manifest(chunk)] == [1]
        make(night, served, "answers", "merge")
        assert night.rows(merge.chunks(night), Solved) == rows


def test_solutions_are_marked_against_the_files_answers(night: Night, tmp_path: Path) -> None:
    right = {3: "\\frac{1}{2}", 4: None, 5: "x+1"}
    asked = [{"problem": f"{n}+1?", "answer": right.get(n, f"{n}")} for n in range(10)]
    (tmp_path / "q.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in asked))
    sets = ["answers.value=latex", "pool.fields.answer=answer", "answers.samples=8"]
    night = Night.plan(load_recipe(tmp_path / "r.yaml", sets=sets))
    models = {"ann": ScriptedModel(accuracy=1.0), "ben": ScriptedModel(accuracy=0.5)}
    with scripted(Script(behaviour="maths", models=models, answers=night.recipe.pool)) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in models}
        make(night, served, "pool", "answers", "merge")
    rows = night.rows(merge.chunks(night), Solved)
    assert {mark for row in rows for mark in row.solutions["ann"].marks} == {"right", None}
    assert [row.agreed for row in rows if row.question.answer is None] == [None]
    assert {row.results["ann"] for row in rows if row.results} == {"all_right"}
    assert {row.agreed for row in rows} >= {"mixed", None}
    found = marks(night)
    assert found is not None
    ann, ben = found.teachers
    assert ann.right is not None
    assert (ann.right.value, ann.right.n, ann.questions) == (1.0, 72, 9)
    assert ben.right is not None
    assert 0.25 < ben.right.low < ben.right.value < ben.right.high < 0.75
    assert sum(ben.marks.values()) == 72
    assert sum(found.classes.values()) == 10
    assert found.classes["no_truth"] == 1
    *_, judged = funnel(night)
    assert (judged.step, judged.total, judged.dropped) == ("judged", 9, {"no_truth": 1})

    for changed in ("answers.value=integer", "answers.fallback=last_number"):
        other = Night.plan(load_recipe(tmp_path / "r.yaml", sets=[*sets, changed]))
        assert [chunk.key for chunk in answers.chunks(other)] == [chunk.key for chunk in answers.chunks(night)]
        assert not any(other.store.manifest(chunk) for chunk in merge.chunks(other))
        make(other, {}, "answers", "merge")  # nobody is up, and nobody needs to be
        assert marks(other) is not None


def test_a_file_that_changed_since_the_night_began_is_refused(night: Night, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "q.jsonl", tmp_path / "kept.jsonl")
    (tmp_path / "q.jsonl").write_text('{"problem": "other"}\n')
    with pytest.raises(DataError, match="has changed since the night began"):
        make(night, {}, "pool")
    shutil.move(tmp_path / "kept.jsonl", tmp_path / "q.jsonl")
    make(night, {}, "pool")
