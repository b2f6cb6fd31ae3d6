"""Where pairs come from: drafts of a named stage, teachers' solutions, and as few questions as a stage wants."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from blocks.scripted.local import Script, scripted
from nightschool.errors import RecipeError
from nightschool.records import PreferenceRow
from nightschool.rendering import PROBES_FILE, Probes
from nightschool.wire import Endpoint
from tasks import balance, sft, stages
from tasks.night import Night
from tasks.steps import STEPS
from tests.half_night import Make
from tests.tasks.conftest import fill, serving, solve, sums

DRAFTED = (
    "pairs={chosen: teacher, samples: 4, chunk_rows: 3}",
    "dpo={learning_rate: 1e-4, drafts: base, questions: 7, epochs: 2}",
    "sft.questions=5",
)


def stand_in(night: Night, name: str) -> None:
    """A stage on file, as its training would have left it."""
    out = night.store.path(stages.training(night, name), "out")
    out.mkdir(parents=True)
    (out / PROBES_FILE).write_text(Probes(probes=()).model_dump_json())
    night.store.commit(stages.training(night, name), rows=(), dropped=(), figures={}, files=[*out.iterdir()])


def test_a_stage_learns_from_as_few_questions_as_it_wants_and_from_drafts_of_whom_it_names(make: Make) -> None:
    night = make(*DRAFTED)
    with serving(models={name: {"accuracy": 0.9} for name in ("alba", "bruno")}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    learner = stages.learner(night)
    taught = {row.id for row, _ in sft.lessons(night, learner.stage("sft"))}
    drawn = [ruling.id for ruling in stages.taught(night, learner.stage("dpo"))]
    assert len(taught) == 5
    assert len(drawn) == 7
    assert taught < set(drawn) < {ruling.id for ruling in balance.taught(night)}, "seven take in the five"
    stand_in(night, "sft")
    with scripted(Script.model_validate({"models": {"base": {"accuracy": 0.3}}})) as url:
        endpoint = Endpoint(model="base", urls=(url,))
        for chunk in STEPS["pairs"].chunks(night):
            made = STEPS["pairs"].make(night, chunk, {"base": endpoint})
            night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)
    chunks = STEPS["pairs"].chunks(night)
    assert [chunk.rows for chunk in chunks] == [3, 3, 1]
    rows = night.rows(chunks, PreferenceRow)
    assert rows
    assert {row.question for row in rows} <= set(drawn)
    right = {ruling.id: ruling.answer for ruling in balance.taught(night)}
    for row in rows:
        assert orjson.loads(row.chosen[0].content)["answer"] == right[row.question]
        assert orjson.loads(row.rejected[0].content)["answer"] != right[row.question]


SOLVED = ("pairs={chosen: teacher, rejected: teacher, chunk_rows: 10}", "dpo={learning_rate: 1e-4}")


def test_teachers_solutions_are_set_against_one_another_and_nobody_is_asked(tmp_path: Path) -> None:
    night = sums(tmp_path, *SOLVED)
    solve(night, "pool", "answers", "merge", "committee", "splits", "critique", "pairs")
    assert not STEPS["pairs"].asks(night)
    rows = night.rows(STEPS["pairs"].chunks(night), PreferenceRow)
    taught = {ruling.id: ruling for ruling in balance.taught(night)}
    assert len(rows) == len(taught), "each has one right and one wrong solution"
    for row in rows:
        number = int(taught[row.question].question.question.split()[2])
        assert row.prompt[-1].content == f"What is {number} + 1?"
        assert row.chosen[0].content == f"The answer is \\boxed{{{number + 1}}}"
        assert row.rejected[0].content == f"The answer is \\boxed{{{number + 8}}}"
    before = night.keys["pairs/dpo"]
    assert sums(tmp_path, *SOLVED, "sft.epochs=2").keys["pairs/dpo"] == before, "no student is in them"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("pairs={rejected: teacher}", "nobody prefers the student's answers"),
        ("critique=null", "there is none"),
        ("dpo.rounds=2", "a teacher's solutions are the same in every round"),
        ("dpo.drafts=nobody", "nobody is no earlier stage"),
        ("dpo={learning_rate: 1e-4, drafts: base, rounds: 2}", "every round drafts with what it begins with"),
    ],
)
def test_pairs_that_nobody_can_make_are_refused_when_the_recipe_loads(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        sums(tmp_path, *SOLVED, change)
