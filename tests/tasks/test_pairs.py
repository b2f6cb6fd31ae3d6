"""Where pairs come from: drafts of a named stage, teachers' solutions, and as few questions as a stage wants."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from blocks.scripted.local import Script, scripted
from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from nightschool.records import PreferenceRow, Question, Said, Solutions
from nightschool.rendering import PROBES_FILE, Probes
from nightschool.wire import Endpoint
from tasks import balance, pool, sft, stages
from tasks.night import Night
from tasks.step import Made
from tasks.steps import STEPS
from tests.half_night import Make
from tests.tasks.conftest import fill, serving, sums

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


SOLVED = """
name: solved
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
student: {{name: kim, model: unused, engine: transformers, prompt: p.txt}}
pool: {{file: q.jsonl, fields: {{question: question, answer: gt}}}}
answers: {{reply: text, value: integer, prompt: p.txt, samples: 2}}
splits: {{validation: 0.2, test: 0.2}}
critique: {{prompt: c.txt, per_question: 2}}
sft: {{learning_rate: 1e-3}}
pairs: {{chosen: teacher, rejected: teacher, chunk_rows: 10}}
dpo: {{learning_rate: 1e-4}}
validate: {{}}
"""


@pytest.fixture
def solved(tmp_path: Path) -> Path:
    return sums(tmp_path, SOLVED)


def test_teachers_solutions_are_set_against_one_another_and_nobody_is_asked(solved: Path) -> None:
    night = Night.plan(load_recipe(solved))
    for phase in ("pool", "answers", "merge", "committee", "splits", "critique", "pairs"):
        for chunk in STEPS[phase].chunks(night):
            made = STEPS[phase].make(night, chunk, {}) if phase != "answers" else Made(_answers(night))
            night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)
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
    assert Night.plan(load_recipe(solved, sets=["sft.epochs=2"])).keys["pairs/dpo"] == before, "no student is in them"


def _answers(night: Night) -> list[Solutions]:
    """Each sum solved once right and once wrong."""
    return [
        Solutions(
            id=one.id,
            teacher="ann",
            said=tuple(
                Said(text=f"The answer is \\boxed{{{int(one.answer or 0) + off}}}", finish="stop") for off in (0, 7)
            ),
        )
        for one in night.rows(pool.chunks(night), Question)
    ]


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
def test_pairs_that_nobody_can_make_are_refused_when_the_recipe_loads(solved: Path, change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        load_recipe(solved, sets=[change])
