"""The arena through its steps: who is asked what, who rules, and that nothing is paid for twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocks.scripted.local import Script, scripted
from nightschool import school
from nightschool.challenges import distinct
from nightschool.errors import RecipeError
from nightschool.records import Answer, Challenge, Dropped
from nightschool.wire import Endpoint
from tasks import arena, balance, challenges, stages
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.serving import players
from tests.blocks.client_asks import counted
from tests.half_night import Make, maker
from tests.tasks.conftest import fill, serving
from tests.tasks.test_pairs import stand_in

# Bruno always answers, and writes half of his questions with a wrong key, unreadable or twice.
PUPILS = {"alba": {"accuracy": 0.3}, "bruno": {"accuracy": 0.95, "ok_questions": 0.4}}
MATCH = "arena={players: [alba, bruno], per_topic: 6, questions: 10, chunk_rows: 10}"


@pytest.fixture(scope="module")
def make_one(tmp_path_factory: pytest.TempPathFactory) -> Make:
    return maker(tmp_path_factory.mktemp("arena"))


@pytest.fixture(scope="module")
def played(make_one: Make) -> Night:
    night = make_one(MATCH)
    with serving(models=PUPILS) as served:
        fill(night, served, "questions", "pool", "answers", "committee", "challenges", "arena")
    return night


def test_everyone_answers_the_others_valid_questions_and_the_solver_rules(played: Night) -> None:
    written = played.rows(challenges.chunks(played), Challenge)
    assert [sum(one.author == name for one in written) for name in ("alba", "bruno")] == [24, 24]
    for one in written:
        assert one.question
        key = one.question.choices["ABCD".index(one.question.key or "")]
        others = [choice for choice in one.question.choices if choice != key]
        assert (one.flaw is None) == (school.check(one.topic, one.question.question, key, others).status == "ok")
    answered = played.rows(arena.chunks(played), Answer)
    asked = {one.id for one in distinct(written) if one.flaw is None}
    for name, other in (("alba", "bruno"), ("bruno", "alba")):
        assert {row.id for row in answered if row.teacher == name} == {one for one in asked if one.startswith(other)}


def test_points_add_up_and_invalid_questions_are_the_authors_loss(played: Night) -> None:
    found = arena.measured(played)
    assert found
    writers = {one.name: one for one in found.writers}
    assert sum(writers["bruno"].invalid.values()) > 2 * sum(writers["alba"].invalid.values())
    void = sum(sum(one.void.values()) for one in found.writers)
    assert sum(found.matches[0].points) == 48 - void
    alba, bruno = found.player("alba"), found.player("bruno")
    assert alba
    assert bruno
    assert alba.right
    assert bruno.right
    assert alba.right.high < bruno.right.low


def test_what_was_taught_counts_for_nobody(played: Night) -> None:
    taught = {school.normalise(ruling.question.question) for ruling in balance.taught(played)}
    written = [one.question.question for one in played.rows(challenges.chunks(played), Challenge) if one.question]
    same = sum(school.normalise(one) in taught for one in written)
    assert taught
    assert same < len(written) / 4, "teachers are asked under another seed than when they taught"
    found = arena.measured(played)
    assert found
    assert sum(one.void.get("taught", 0) for one in found.writers) <= same


def test_another_gate_and_longer_matches_ask_nobody(played: Night, make_one: Make) -> None:
    gate = "gates=[{name: g, metric: match_wins, player: bruno, at_least: 0.6}]"
    longer = make_one(MATCH, "arena.questions=20", gate)
    fill(longer, {}, "challenges", "arena")
    found, before = arena.measured(longer), arena.measured(played)
    assert found
    assert before
    assert (found.matches[0].points, found.questions) == (before.matches[0].points, 20)


def test_an_unreadable_reply_is_an_invalid_question_and_a_failed_answer(make: Make) -> None:
    night = make(
        MATCH, "arena.players=[{name: a, writes: alba, answers: bruno}, {name: b, writes: bruno, answers: alba}]"
    )
    with serving(models=PUPILS, faults={"rubbish": 0.3}) as served:
        fill(night, served, "challenges", "arena")
    written = night.rows(challenges.chunks(night), Challenge)
    assert {one.flaw for one in written if one.question is None} == {"wrong_shape"}
    assert not list(night.each(challenges.chunks(night), Dropped, dropped=True)), "it is measured, and not dropped"
    assert any(row.casts[0].letter is None for row in night.rows(arena.chunks(night), Answer))


def test_judges_vote_on_what_the_solver_cannot_read_and_do_not_play(make: Make) -> None:
    night = make("arena={players: [base, sft], per_topic: 4, truth: committee}", "committee.quorum=2")
    stand_in(night, "sft")
    with serving(models={**PUPILS, "base": {"ok_questions": 0.5}, "sft": {"ok_questions": 0.5}}) as served:
        everyone = {**served, **{name: served["alba"].model_copy(update={"model": name}) for name in ("base", "sft")}}
        fill(night, everyone, "challenges", "arena")
    assert arena.answering(night) == ("base", "sft", "alba", "bruno")
    written = distinct(night.rows(challenges.chunks(night), Challenge))
    unread = {one.id for one in written if one.flaw is None and one.question and one.question.truth is None}
    assert unread
    assert {row.id for row in night.rows(arena.chunks(night), Answer) if row.teacher == "alba"} == unread


def test_a_teacher_alone_votes_with_all_its_samples(make: Make) -> None:
    alone = ("arena={players: [base, sft, bruno], per_topic: 4, truth: committee}", "committee.quorum=3")
    night = make(*alone, "answers.samples=4", "committee.voters=samples")
    stand_in(night, "sft")
    with serving(models={**PUPILS, "base": {"ok_questions": 0.5}, "sft": {"ok_questions": 0.5}}) as served:
        everyone = {**served, **{name: served["alba"].model_copy(update={"model": name}) for name in ("base", "sft")}}
        fill(night, everyone, "challenges", "arena")
    casts = {(row.teacher, len(row.casts)) for row in night.rows(arena.chunks(night), Answer)}
    assert casts == {("alba", 4), ("base", 1), ("sft", 1), ("bruno", 1)}
    found = arena.measured(night)
    assert found
    assert not any(one.void.get("too_few_votes") for one in found.writers)


def test_all_who_play_are_served(make: Make) -> None:
    night = make("arena={players: [sft, alba, {name: team, writes: base, answers: bruno}], per_topic: 4}")
    night.begin()
    stand_in(night, "sft")
    desk = players(night, Ledger(night.dir))
    assert {*desk.names(challenges.chunks(night)).split(", ")} == {"base", "sft", "alba", "bruno"}
    assert stages.learner(night).student.name not in desk.names(challenges.chunks(night))


def test_a_player_that_is_shown_drafts_answers_with_its_drafters(make: Make, tmp_path: Path) -> None:
    """The drafter is always right and the reader says what it reads last: its draft, of questions that came up here."""
    (tmp_path / "d.txt").write_text("[user]\n$question\n$choices\nDraft: $draft\n")
    first = "{name: first, learning_rate: 1e-3}"
    reader = "{name: reader, start: first, draft_of: first, prompt: d.txt, learning_rate: 1e-3}"
    night = make(f"sft=[{first}, {reader}]", "arena={players: [alba, reader], per_topic: 6, chunk_rows: 10}")
    with serving(models=PUPILS) as served:
        fill(night, served, "questions", "pool", "answers", "committee")
        for name in ("first", "reader"):
            stand_in(night, name)
        sure, echo = (
            Script.model_validate({"models": {"first": {"accuracy": 1.0}}}),
            Script.model_validate({"behaviour": "echo", "models": {"reader": {}}}),
        )
        with scripted(sure) as drafter, scripted(echo) as echoing:
            urls = {"first": drafter, "reader": echoing}
            student = {name: Endpoint(model=name, urls=(url,)) for name, url in urls.items()}
            with pytest.raises(RecipeError, match="no room side by side"):
                fill(night, {**served, "reader": student["reader"]}, "challenges", "arena")
            fill(night, {**served, **student}, "challenges", "arena")
            asked = {row.id for row in night.rows(arena.chunks(night), Answer) if row.teacher == "reader"}
            drafted = counted(drafter)
    assert drafted["total"] == drafted["distinct"] == len(asked) > 10
    figures = [manifest.figures for chunk, manifest in night.made(arena.chunks(night)) if chunk.part == "reader"]
    assert sum(one["requests"] for one in figures) == 2 * len(asked)
    found = arena.measured(night)
    assert found
    player = found.player("reader")
    assert player
    assert player.right
    assert player.right.value == 1, "an echo knows nothing but what its draft says"
