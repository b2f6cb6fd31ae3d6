"""A night that teaches free text: what is taught, and what is held out to measure it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.recipe.data_file import Source
from nightschool.recipe.evaluate import Evaluate
from nightschool.recipe.stages import Stage
from nightschool.records import Question, Ruling
from nightschool.splits import side_of
from nightschool.wire import Endpoint
from tasks import held_out, measured, pool, review, sft, stages, validate
from tasks.chunk import make_chunk
from tasks.night import Night
from tests.tasks.test_rounds import trained
from tests.verdict_night import verdicts

LEARNING = """
sft:
- {name: baseline, form: answer, learning_rate: 1e-3}
- {name: cot, start: baseline, learning_rate: 1e-3}
validate: {seeds: [0, 1]}
"""


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return verdicts(tmp_path, LEARNING)


def lessons(night: Night, name: str) -> dict[str, tuple[str, str]]:
    """Question and completion of what a stage learns."""
    stage: Stage = stages.learner(night).stage(name)
    found = list(sft.lessons(night, stage))
    assert all(row.prompt == later.prompt for row, later in found)
    return {row.id: (row.prompt[-1].content, row.completion[-1].content) for row, _ in found}


def test_the_same_rows_are_taught_as_an_answer_and_with_the_way_to_it(night: Night) -> None:
    alone, whole = lessons(night, "baseline"), lessons(night, "cot")
    assert alone.keys() == whole.keys()
    assert {text for _, text in alone.values()} == {"Yes.", "No."}
    for name, (_, text) in whole.items():
        verdict = alone[name][1].rstrip(".").lower()
        assert text.startswith("It is ")
        assert text.endswith(f"\nSo the answer is {verdict}.")


def test_all_questions_of_the_test_side_are_measured_whatever_the_teacher_said_of_them(night: Night) -> None:
    asked = [row for chunk, _ in night.made(pool.chunks(night)) for row in night.store.rows(chunk, Question)]
    held = {row.id for row in asked if side_of(row.question, validation=0.1, test=0.3) == "test"}
    rows = held_out.rows(night, "test")
    assert {question.id for question, _ in rows} == held
    assert len(rows) == held_out.count_of(night, "test") == 2 * len(held)
    assert not held & lessons(night, "cot").keys()
    # The teacher is wrong on most that are yes: measured on what it got right, the test would be of another kind.
    assert sum(question.answer == "yes" for question, _ in rows) > 0.3 * len(rows)


def test_a_student_that_always_says_no_is_seen_through(night: Night) -> None:
    night.begin()
    trained(night, "baseline")
    key = Source.model_validate({"file": night.recipe.pool.file, "kind": "strategyqa"})
    always_no = {name: ScriptedModel(accuracy={"yes": 0.0, "no": 1.0}) for name in ("base", "baseline")}
    with scripted(Script(behaviour="verdict", reasons="facts", answers=key, models=always_no)) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in always_no}
        for chunk in [one for one in validate.chunks(night) if one.part in served]:
            make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)
    rows = measured.answers(night)
    _, baseline = measured.figures(night, rows)
    assert baseline.by_class is not None
    assert (baseline.by_class.balanced.value, baseline.by_class.worst.truth) == (0.5, "yes")
    assert baseline.gain is not None
    assert (baseline.gain.value, baseline.gain.significant) == (0, False)
    assert baseline.over_guessing is not None
    assert baseline.over_guessing.value <= 0
    assert baseline.calibration is not None
    assert baseline.calibration.confidence == 1
    ruled = {row.id: row.answer for row in night.rows(review.out(night), Ruling) if row.answer}
    both = [ruled[row.question] == "no" for row in rows["baseline"] if row.question in ruled]
    assert baseline.as_ruled is not None
    assert (baseline.as_ruled.value, baseline.as_ruled.n) == (sum(both) / len(both), len(both))
    seen = measured.contaminated(night, rows)
    assert seen is not None
    assert (seen.same, seen.held_out) == (0, len({row.question for row in rows["base"]}))


def test_nothing_but_validate_and_timing_sees_a_question_of_the_test_side(night: Night) -> None:
    """Whatever a stage learns and is looked at by; what proves it is on the other side of a hash, and typed so."""
    recipe = night.recipe.model_copy(
        update={"sft": tuple(one.model_copy(update={"evaluate": Evaluate()}) for one in night.recipe.sft)}
    )
    looked = replace(night, recipe=recipe)
    proven = {question.question for question, _ in held_out.rows(looked, "test")}
    for stage in stages.of_kind(looked, "sft"):
        for side in ("train", "validation"):
            seen = {row.prompt[-1].content.strip() for row, _ in sft.lessons(looked, stage, side)}
            assert seen
            assert not seen & proven
            assert {side_of(text, validation=0.1, test=0.3) for text in seen} == {side}
