"""Drafts in a real store: made once, on file, and the same before a stage's eyes in training, pairs and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.answers import messages
from nightschool.drafts import draft_id
from nightschool.errors import RecipeError
from nightschool.leaks import compare
from nightschool.recipe.ablate import VARIANTS
from nightschool.recipe.data_file import Source
from nightschool.records import Draft, Measured
from nightschool.timing import Timed
from nightschool.wire import Endpoint
from tasks import ablated, attribute, drafts, held_out, sft, stages, timing
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.steps import STEPS
from tests.blocks.client_asks import counted
from tests.tasks.test_rounds import trained
from tests.verdict_night import verdicts

LEARNING = """
balance: {by: [answer], method: upsample}
sft:
- {name: first, learning_rate: 1e-3}
- {name: second, start: first, draft_of: first, prompt: d.txt, form: answer, learning_rate: 1e-3}
pairs: {samples: 2}
dpo: {learning_rate: 1e-4}
validate: {seeds: [0, 1], chunk_rows: 20}
ablate: {stages: [second], attribution: {questions: 9}}
"""


@pytest.fixture
def night(tmp_path: Path) -> Night:
    (tmp_path / "d.txt").write_text("[user]\n$question\nDraft: $draft\n")
    night = verdicts(tmp_path, LEARNING)
    night.begin()
    trained(night, "first")
    return night


def ask(night: Night, phase: str, part: str, script: Mapping[str, object]) -> list[str]:
    """Makes a part of a phase on a scripted student; the names of the states."""
    with scripted(Script.model_validate({"models": {name: {} for name in ("first", "second")}, **script})) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in ("first", "second")}
        chunks = STEPS[phase].of(part).chunks(night)
        return [str(make_chunk.fn(night.store.place, night.name, night.stamp, one, served).name) for one in chunks]


def test_every_question_is_drafted_for_once_and_shown_alike_wherever_it_is_asked(night: Night) -> None:
    """The drafter echoes its prompt, so that a draft says whose it is; copies of a row share one."""
    learner = stages.learner(night)
    assert set(ask(night, "drafts", "first", {"behaviour": "echo"})) == {"Completed"}
    assert set(ask(night, "drafts", "first", {"faults": {"status_500": 1.0}})) == {"Cached"}
    rows = night.rows(STEPS["drafts"].chunks(night), Draft)
    held = {question.question for question, _ in held_out.rows(night, "test")}
    taught = [ruling.question for ruling in stages.seen(night, learner.stage("second"))]
    assert len(taught) > len({one.question for one in taught}), "the balance copied rows"
    assert len(rows) == len({row.id for row in rows}) == len(held | {one.question for one in taught})

    for row, later in sft.lessons(night, learner.stage("second")):
        asked, draft = row.prompt[-1].content.split("\nDraft: ")
        assert draft == asked
        assert row.prompt == later.prompt
    trained(night, "second")
    ask(night, "pairs", "dpo", {"behaviour": "echo"})
    ask(night, "validate", "second", {"behaviour": "echo"})
    texts = [row.text for row in night.rows(STEPS["validate"].of("second").chunks(night), Measured)]
    assert {text.split("\nDraft: ")[0] for text in texts} == held
    assert all(text.split("\nDraft: ")[0] == text.split("\nDraft: ")[1] for text in texts)
    ask(night, "validate", "first", {"behaviour": "echo"})
    texts = [row.text for row in night.rows(STEPS["validate"].of("first").chunks(night), Measured)]
    assert {*texts} == held, "the drafter itself is shown none"


def test_a_draft_with_the_truth_in_it_is_a_leak_unless_the_drafter_itself_wrote_it(night: Night) -> None:
    """Plan 002's phase B: what the teacher found stood in the prompt where evaluation had the student's own words."""
    ask(night, "drafts", "first", {"behaviour": "text", "text": "I do not know."})
    stage = stages.learner(night).stage("second")
    lessons = list(sft.lessons(night, stage))
    asked = [later for _, later in lessons]
    assert not compare(((row.id, row.prompt) for row, _ in lessons), asked).others
    told = [
        (
            row.id,
            (row.prompt[0].model_copy(update={"content": f"{later.prompt[0].content} {row.completion[0].content}"}),),
        )
        for row, later in lessons
    ]
    assert len(compare(told, asked).leaks) == len(lessons)


def test_where_no_draft_came_the_question_is_asked_without_a_word_of_one(night: Night) -> None:
    ask(night, "drafts", "first", {"behaviour": "echo"})
    draft = drafts.shown(night, "second")
    [question, *_] = [question for question, _ in held_out.rows(night, "test")]
    assert draft(question) == question.question
    assert draft(question.model_copy(update={"question": "Was it lost?"})) is None
    assert drafts.shown(night, "base")(question) is None
    assert draft_id(question) in drafts.texts_of(night, "first")


def test_drafts_made_anew_make_what_was_shown_them_stale(night: Night) -> None:
    ask(night, "drafts", "first", {"behaviour": "echo"})
    before = stages.training(night, "second")
    for chunk in STEPS["drafts"].chunks(night):
        night.store.forget(chunk)
    ask(night, "drafts", "first", {"behaviour": "text", "text": "Other words."})
    after = stages.training(night, "second")
    assert before.key == after.key
    assert before.inputs != after.inputs


@pytest.mark.parametrize(
    ("script", "moved"),
    [
        ({"behaviour": "text", "text": "No."}, set()),
        ({"behaviour": "echo"}, {"no_draft", "shuffled", "no_answer", "majority"}),
    ],
    ids=["draft ignored", "draft only"],
)
def test_an_ablation_finds_all_of_an_effect_and_nothing_where_there_is_none(
    night: Night, script: dict[str, object], moved: set[str]
) -> None:
    """A student that echoes is read by the end of its prompt: it says what its draft says, and nothing without one."""
    key = Source.model_validate({"file": night.recipe.pool.file, "kind": "strategyqa"})
    sure = {"behaviour": "verdict", "answers": key, "models": {"first": ScriptedModel(accuracy=1.0)}}
    ask(night, "drafts", "first", sure)
    trained(night, "second")
    ask(night, "validate", "second", script)
    for variant in VARIANTS:
        ask(night, "ablate", f"second/{variant}", script)
    [found] = ablated.ablations(night)
    assert {one.variant for one in found.shown if one.change and one.change.significant} == moved
    assert (found.stage, found.drafter, len(found.shown)) == ("second", "first", 4)
    [right] = ablated.drafts(night)
    assert (right.held_out.value, right.held_out.n) == (1, len(held_out.rows(night, "test")) // 2)
    assert right.taught.value == 1
    assert not right.too_good
    if moved:
        assert found.as_is.value == 1
        changes = {one.variant: one.change.value for one in found.shown if one.change}
        assert changes["no_draft"] == changes["no_answer"] == -1
        assert -1 < changes["shuffled"] < 0


def test_what_is_attributed_is_the_prompt_as_it_is_asked(night: Night) -> None:
    ask(night, "drafts", "first", {"behaviour": "echo"})
    rows = attribute.rows(night, "second")
    own, others = ([row for row in rows if row.of == of] for of in ("own", "shuffled"))
    held = {question.id: question for question, _ in held_out.rows(night, "test")}
    assert len(own) == len(others) == 9
    for row, other in zip(own, others, strict=True):
        question = held[row.id]
        asked = messages(question, stages.learner(night).prompt("second"), question.question)
        assert row.messages == asked
        assert (other.id, other.prompt) == (row.id, row.prompt)
        assert other.draft != row.draft
        assert row.answers == (("Yes.", "No.") if question.answer == "yes" else ("No.", "Yes."))
    assert [chunk.part for chunk in STEPS["attribute"].chunks(night)] == ["second"]


def test_times_of_a_stage_take_in_the_draft_that_it_needs(night: Night) -> None:
    ask(night, "drafts", "first", {"behaviour": "echo"})
    trained(night, "second")
    trained(night, "dpo")
    [chunk] = timing.chunks(night)
    slow = Script.model_validate({"behaviour": "echo", "models": {"first": {"latency_s": {"mean": 0.05}}}})
    quick = Script.model_validate({"behaviour": "text", "text": "It is. No.", "models": {"dpo": {}}})
    with scripted(slow) as drafter, scripted(quick) as reader:
        served = {name: Endpoint(model=name, urls=(url,)) for name, url in (("first", drafter), ("dpo", reader))}
        with pytest.raises(RecipeError, match="dpo is shown drafts of first, and the two have no room side by side"):
            timing.make(night, chunk, {"dpo": served["dpo"]})
        make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)
        assert counted(drafter)["total"] == counted(reader)["total"] - 1, "one beforehand that nobody times"
    rows = night.rows([chunk], Timed)
    assert rows
    for row in rows:
        assert row.draft_s
        assert row.ttft_s
        assert 0.05 <= row.draft_s < row.ttft_s <= row.e2el_s
        assert row.ttft_s + sum(row.itl_s) == pytest.approx(row.e2el_s, abs=1e-5)
        assert row.tokens_out == 3, "the answer's own"
    [found] = timing.figures(night)
    assert found.ways[0].draft
    assert found.ways[0].draft.mean >= 0.05
    ((_, manifest),) = night.made([chunk])
    assert manifest.figures["requests"] == 2 * len(rows)
