"""Lessons of a stage: which rows it learns, under which prompts, and with which weight."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from nightschool.questions import WrittenReply
from nightschool.records import Ruling, TaughtRow
from tasks import balance, sft, stages
from tasks.night import Night
from tasks.steps import STEPS
from tests.half_night import Make
from tests.tasks.conftest import fill, serving, solve, sums

BOTH = (
    "sft={learning_rate: 1e-3, teaches: {answers: 2, questions: 1}, roles: {}, prompt: {questions: like.txt}}",
    "questions.per_topic=8",
)


def taught(night: Night, name: str) -> list[TaughtRow]:
    found = list(sft.lessons(night, stages.learner(night).stage(name)))
    assert all(row.id == later.id for row, later in found)
    assert all(row.prompt == later.prompt for row, later in found), "what is learned is asked in the same words"
    return [row for row, _ in found]


def test_a_dual_role_student_learns_accepted_questions_and_their_answers(make: Make, tmp_path: Path) -> None:
    (tmp_path / "like.txt").write_text("[user]\n$example\n")
    night = make(*BOTH)
    with serving(models={"alba": {"accuracy": 0.9}, "bruno": {"accuracy": 0.9}}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    rows, kept = taught(night, "sft"), balance.taught(night)
    said = {row.id: row for row in rows}
    answered = [row for row in rows if row.weight == 2.0]
    written = [row for row in rows if row.weight == 1.0]
    assert {row.id for row in answered} == {ruling.id for ruling in kept}
    assert len(written) + len(answered) == len(rows) == len(said)
    accepted = {ruling.question.question for ruling in kept if ruling.question.source != "generator"}
    bodies = {row.prompt[-1].content.removeprefix("<A> ") for row in answered}
    assert written
    for row in written:
        question = WrittenReply.model_validate_json(row.completion[0].content)
        assert question.question in accepted
        example = row.prompt[-1].content.removeprefix("<Q> ")
        assert example.strip() in {body.strip() for body in bodies}, "the mark alone tells the two lessons apart"
        assert question.question not in example
    assert {row.prompt[-1].content[:4] for row in answered} == {"<A> "}
    assert {row.prompt[-1].content[:4] for row in written} == {"<Q> "}


def test_a_question_agent_learns_what_its_writers_were_asked_for(make: Make) -> None:
    night = make(
        "sft=[{name: asker, teaches: questions, learning_rate: 1e-3}, {name: solver, learning_rate: 1e-3}]",
        "questions.per_topic=8",
    )
    with serving(models={"alba": {"accuracy": 0.9}, "bruno": {"accuracy": 0.9}}) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    asked = {row.prompt[-1].content for row in taught(night, "asker")}
    assert asked
    assert all(text.startswith("Write on ") and " with " in text for text in asked)
    assert {row.id for row in taught(night, "solver")} == {ruling.id for ruling in balance.taught(night)}


def test_a_critic_learns_judgements_of_the_train_side_alone(tmp_path: Path) -> None:
    critic = sums(tmp_path, "sft.teaches=critiques", 'critique.reply="So it is $judgement."')
    solve(critic, "pool", "answers", "merge", "committee", "splits", "critique")
    rows = taught(critic, "sft")
    sides = Counter(ruling.side for ruling in critic.each(STEPS["splits"].chunks(critic), Ruling))
    assert sides["test"] > 0
    assert len(rows) == 2 * sides["train"]
    for row in rows:
        question, solution = row.prompt[-1].content.removeprefix("Judge.\n").split("\n")
        right = solution == f"The answer is \\boxed{{{int(question.split()[2]) + 1}}}"
        assert row.completion[0].content == f"So it is {'right' if right else 'wrong'}."
