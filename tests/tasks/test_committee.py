"""The committee's sitting over free solutions: by the file's truth, by votes, by learned reliability."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling, Solutions
from nightschool.sitting import Sitting
from nightschool.solved import Solved
from nightschool.values.latex import same
from nightschool.wire import Endpoint
from tasks import answers, committee, merge, rows
from tasks.night import Night
from tests.file_night import make

RECIPE = """
name: data
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}, {{name: cleo, model: cleo}}]
pool: {{file: q.jsonl, fields: {{question: problem, answer: answer}}}}
answers: {{reply: text, value: latex, prompt: p.txt, samples: 3, chunk_rows: 8}}
"""
ACCURACY = {"ann": 0.95, "ben": 0.6, "cleo": 0.5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    asked = [{"problem": f"{n}+1?", "answer": None if n == 3 else f"\\frac{{{n}}}{{7}}"} for n in range(20)]
    (tmp_path / "q.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in asked))
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    return tmp_path


def solved(folder: Path, *sets: str, **accuracy: float) -> Night:
    """A night as far as its rulings."""
    night = Night.plan(load_recipe(folder / "r.yaml", sets=sets))
    models = {name: ScriptedModel(accuracy=share) for name, share in (ACCURACY | accuracy).items()}
    with scripted(Script(behaviour="maths", models=models, answers=night.recipe.pool)) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in models}
        make(night, served, "pool", "answers", "merge", "committee")
    return night


def rulings(night: Night) -> list[Ruling]:
    chunks = committee.chunks(night)
    return [*night.rows(chunks, Ruling), *night.each(chunks, Ruling, dropped=True)]


def sitting(night: Night) -> Sitting:
    found = [Sitting.model_validate(manifest.figures["sitting"]) for _, manifest in night.made(committee.chunks(night))]
    return sum(found, Sitting())


def test_by_the_files_truth_a_right_solution_is_taught(folder: Path) -> None:
    night = solved(folder)
    merged = {row.id: row for row in night.rows(merge.chunks(night), Solved)}
    wrote = {(row.id, row.teacher): row.said for row in night.rows(answers.chunks(night), Solutions)}
    assert [chunk.index for chunk in committee.chunks(night)] == [0, 1, 2]
    found = rulings(night)
    assert len(found) == 20
    for row in found:
        said = merged[row.id]
        assert (row.results, row.agreed) == (said.results, said.agreed)
        right = {
            text.text
            for name, solutions in said.solutions.items()
            for mark, text in zip(solutions.marks, wrote[row.id, name], strict=True)
            if mark == "right"
        }
        if row.by == "truth":
            assert (row.verdict == "accept") == bool(right)
            assert row.reasoning in right or row.reason in ("against_truth", "no_right_answer")
    assert [row.by for row in found if row.question.answer is None] == ["votes"]
    counts = sitting(night)
    assert (counts.asked, sum(counts.by.values())) == (20, len(night.rows(committee.chunks(night), Ruling)))
    assert counts.seats["ann"].right > counts.seats["cleo"].right


def test_disagreements_with_the_truth_are_a_data_set(folder: Path) -> None:
    hasty = ("answers.samples=1", "committee.ties=first", "committee.min_agreement=0.1", "committee.quorum=1")
    night = solved(folder, *hasty, ann=0.4)
    found = [Ruling.model_validate_json(line) for line in rows.disagreements(night, "committee", None)]
    assert {row.id for row in found} == {row.id for row in rulings(night) if row.vote_right is False}
    assert {row.verdict for row in found} == {"accept", "reject"}
    lines = rows.lines(night, "committee", None, reason="against_truth")
    against = {Ruling.model_validate_json(line).id for line in lines}
    assert against == {row.id for row in found if row.verdict == "reject"}
    with pytest.raises(RecipeError, match="allowed: committee"):
        list(rows.disagreements(night, "merge", None))


def test_by_votes_alone_equivalent_answers_are_one(folder: Path) -> None:
    night = solved(folder, "committee.verifier=none", "committee.to_review=[tie, low_agreement, no_quorum]")
    found = rulings(night)
    assert {row.by for row in found} == {"votes"}
    for row in found:
        if row.verdict == "accept":
            assert row.agreement >= 0.6
            assert row.vote == row.answer
            assert row.answer
            assert sum(bool(vote and same(vote, row.answer)) for vote in row.votes.values()) >= 2
        else:
            assert row.verdict == "review"
    counts = sitting(night)
    open_ = sum(row.verdict == "review" for row in found)
    assert open_ > 0
    assert sum(counts.reasons["review"].values()) == open_


def test_short_texts_are_ruled_on_by_the_files_words_and_by_votes(folder: Path) -> None:
    places = ("Oslo", "Rome", "Quito", "Accra", "Lima")
    asked = [{"problem": f"Capital {n}?", "answer": places[n % 5] if n else None} for n in range(20)]
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in asked))
    found = rulings(solved(folder, "answers.value=text"))
    assert len(found) == 20
    accepted = [row for row in found if row.verdict == "accept"]
    assert all(row.answer == row.question.answer for row in accepted if row.by == "truth")
    assert sum(row.by == "truth" for row in accepted) >= 15
    assert {row.by for row in found if row.question.answer is None} == {"votes"}


def test_confidence_comes_from_logprobs_or_as_stated(folder: Path) -> None:
    weighs = ("committee.verifier=none", "committee.strategy=confidence_weighted", "answers.samples=1")
    (folder / "p.txt").write_text("[user]\nSolve: $question\nSay your confidence.\n")
    for source in ("logprobs", "stated"):
        found = [row for row in rulings(solved(folder, *weighs, f"committee.confidence={source}")) if row.vote]
        assert all(0 < row.confidence < 1 for row in found)
        assert len({row.confidence for row in found}) > len(found) // 2


def test_reliability_is_learned_from_all_chunks_before_any_is_ruled_on(folder: Path) -> None:
    night = solved(folder, "committee.verifier=none", "committee.strategy=reliability")
    shares = [manifest.figures["reliability"] for _, manifest in night.made(committee.chunks(night))]
    assert shares[0] == shares[1] == shares[2]
    assert shares[0]["ann"] > shares[0]["cleo"]
    chunk = committee.chunks(night)[1]
    before = night.store.rows(chunk, Ruling)
    night.store.forget(chunk)
    make(night, {}, "committee")
    assert night.store.rows(chunk, Ruling) == before
