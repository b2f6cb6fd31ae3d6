"""What a person sees of a row that waits on a night of free solutions: each teacher's vote with its own way to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blocks.decisions import Decisions
from nightschool.chunks import Chunk
from nightschool.recipe.load import load_recipe
from nightschool.records import Question, Ruling, Said, Solutions
from nightschool.review import Case, Voice, decide
from tasks import answers, committee, pool, review
from tasks.cases import cases
from tasks.night import Night
from tests.file_night import make

ROWS = 10
RECIPE = """
name: open
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}, {{name: eve, model: eve}}]
pool: {{file: q.jsonl}}
answers: {{reply: text, value: integer, prompt: p.txt, samples: 3, chunk_rows: 4, fallback: {fallback}}}
committee: {{to_review: [tie, low_agreement, no_quorum], quorum: 2, min_agreement: 0.6}}
review: skip
"""


def said(number: int, teacher: str) -> tuple[str, ...]:
    """Ann is right, in other words each time; Ben is off by one on every third question; Eve never comes to an end."""
    right = number + 1
    match teacher:
        case "ann":
            return (f"Perhaps \\boxed{{{right + 7}}}.", f"One more is \\boxed{{{right}}}.", f"So \\boxed{{{right}}}.")
        case "ben":
            found = right + (number % 3 == 0)
            return (f"Count on: \\boxed{{{found}}}.", f"It is \\boxed{{{found}}}.", "I am lost.")
        case _:
            return ("It could be many things.", "Hard to say.", "")


def written(night: Night, chunk: Chunk) -> list[Solutions]:
    asked = night.run_of(pool.chunks(night), Question, night.recipe.answers.chunk_rows, chunk.index)
    return [
        Solutions(
            id=question.id,
            teacher=chunk.part,
            said=tuple(Said(text=text, finish="stop") for text in said(int(question.question.split()[2]), chunk.part)),
        )
        for question in asked
    ]


def ruled(folder: Path, fallback: str = "none") -> Night:
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "q.jsonl").write_text("".join(json.dumps({"question": f"What is {n} + 1?"}) + "\n" for n in range(ROWS)))
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs", fallback=fallback))
    night = Night.plan(load_recipe(folder / "r.yaml"))
    night.begin()
    make(night, {}, "pool")
    for chunk in answers.chunks(night):
        night.store.commit(chunk, rows=written(night, chunk), dropped=(), figures={})
    make(night, {}, "merge", "committee")
    return night


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return ruled(tmp_path)


def number(row: Ruling) -> int:
    return int(row.question.question.split()[2])


def test_those_that_wait_come_from_all_chunks_with_the_way_to_each_vote(night: Night) -> None:
    found = cases(night)
    assert len(answers.chunks(night)) == 9
    assert [case.ruling for case in found] == review.queue(night)
    assert sorted(number(case.ruling) for case in found) == [0, 3, 6, 9]
    for case in found:
        right = number(case.ruling) + 1
        # Ann's first sample led elsewhere, and Eve's nowhere: what she wrote is shown all the same.
        assert case.voices == (
            Voice("ann", str(right), f"One more is \\boxed{{{right}}}."),
            Voice("ben", str(right + 1), f"Count on: \\boxed{{{right + 1}}}."),
            Voice("eve", None, "It could be many things."),
        )
        assert (case.kind, case.fallback, case.leading) == ("integer", "none", None)
        assert sorted(case.options) == sorted((str(right), str(right + 1)))


def test_rows_that_are_asked_for_are_shown_whatever_was_ruled_on_them(night: Night) -> None:
    [agreed] = [row for row in night.rows(committee.out(night), Ruling) if number(row) == 5]
    [case] = cases(night, [agreed])
    assert [voice.answer for voice in case.voices] == ["6", "6", None]
    assert case.leading == "6"
    assert cases(night, []) == []


def test_what_was_decided_waits_no_longer_and_leads_to_what_is_taught(night: Night) -> None:
    first, second, *rest = cases(night)

    def choose(case: Case, voice: int) -> None:
        answer = case.voices[voice].answer
        Decisions(night.store).add([decide(case, who="ada", when=datetime.now(UTC), answer=answer)])

    choose(first, 0)
    choose(second, 1)
    assert [case.content for case in cases(night)] == [case.content for case in rest]
    review.take(night)
    make(night, {}, "review")
    taught = {row.id: (row.answer, row.reasoning) for row in night.rows(review.chunks(night), Ruling)}
    assert taught == {
        first.ruling.id: (first.voices[0].answer, first.voices[0].reasoning),
        second.ruling.id: (second.voices[1].answer, second.voices[1].reasoning),
    }


def test_a_value_that_was_guessed_is_guessed_in_a_persons_words_too(tmp_path: Path) -> None:
    case = cases(ruled(tmp_path, "last_number"))[0]
    assert case.fallback == "last_number"
    made = decide(case, who="ada", when=datetime.now(UTC), answer="12", reasoning="Six and six make 12")
    assert (made.action, made.answer) == ("edit", "12")
