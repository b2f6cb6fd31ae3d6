"""What a night says before it begins: what is used again, made, made anew, and refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from blocks.client import client
from blocks.journal import Journal, replies
from nightschool import answers as answer_rules
from nightschool.errors import RecipeError, Refused
from nightschool.records import Question
from tasks import answers, pool, questions
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.reuse import Verdict, accept_stale, refuse, reuse
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


def changed(folder: Path) -> None:
    (folder / "answers.txt").write_text("[user]\nThink.\n$question\n$choices\n", encoding="utf-8")


def test_rows_of_an_older_recipe_are_used_only_if_a_person_says_so(make: Make, tmp_path: Path) -> None:
    night = make()
    with serving() as served:
        fill(night, served, *DATA)
        before = client().stats().sent
        changed(tmp_path)
        stale = accept_stale(make(), ["answers"])
        assert said(stale)["answers"].line == "answers: reuse 6 chunks, because answers.txt changed; accepted"
        assert {verdict.word for verdict in list(said(stale).values())[:4]} == {"reuse"}
        fill(stale, served, *DATA)
        assert client().stats().sent == before
        opened = Night.open(stale.store.place, stale.name)
        assert opened.keys == stale.keys
        assert opened.keys["committee"] == night.keys["committee"]
        assert opened.accepted == {"answers": "answers.txt changed"}
        assert opened.stamp == stale.stamp != make().stamp
        without = said(make())
        assert without["answers"].line == "answers: redo 6 chunks, because answers.txt changed"
        assert without["committee"].because == "answers.txt changed"
        again = accept_stale(opened.as_written, ["answers"])
        assert again.pins == stale.pins, "a night goes on with what it accepted, if it is told to again"


def test_nothing_is_made_under_a_recipe_that_is_gone(make: Make, tmp_path: Path) -> None:
    night = make()
    with serving() as served:
        fill(night, served)
        gone = answers.chunks(night)[1]
        night.store.path(gone, "manifest.json").unlink()
        changed(tmp_path)
        stale = accept_stale(make(), ["answers"])
        with pytest.raises(Refused, match=r"refuse 6 chunks, because 1 of .*run without --accept-stale answers"):
            refuse(reuse(stale))
        holes = accept_stale(make("max_failed_chunks=1"), ["answers"])
        assert said(holes)["answers"].line.startswith("answers: reuse 5 of 6 chunks, because answers.txt changed")
        before = client().stats().sent
        with pytest.raises(Refused, match="nothing new is made under it"):
            fill(holes, served, "answers")
        assert client().stats().sent == before
        assert not night.store.manifest(gone)


def test_rows_are_not_accepted_for_questions_or_chunks_that_are_others(make: Make, tmp_path: Path) -> None:
    with serving() as served:
        fill(make(), served, *DATA)
    smaller = accept_stale(make("answers.chunk_rows=5"), ["answers"])
    assert "cut into other chunks now (answers.chunk_rows 8 -> 5)" in said(smaller)["answers"].line
    changed(tmp_path)
    other = accept_stale(make("pool.per_topic=5"), ["answers"])
    assert said(other)["pool"].word == "redo"
    assert said(other)["answers"].word == "refuse"


def test_a_teacher_that_is_new_is_asked_beside_answers_that_were_accepted(make: Make, tmp_path: Path) -> None:
    one = "teachers=[{name: alba, model: alba, script: {models: {alba: {accuracy: 0.9}}}}]"
    sets = ["questions=null", "committee.quorum=1"]
    with serving() as served:
        fill(make(*sets, one), served, "pool", "answers")
        changed(tmp_path)
        both = accept_stale(make(*sets), ["answers"])
        fill(both, served, "pool", "answers")
    alba, bruno = (chunk for chunk in answers.chunks(both) if chunk.index == 0)
    prompts = [{reply.prompt for reply in replies(both.store.journal(chunk))} for chunk in (alba, bruno)]
    assert prompts[0].isdisjoint(prompts[1]), "the old prompt, and the new one"


@pytest.mark.parametrize(("phase", "why"), [("quiz", "no such phase"), ("answers", "no earlier rows")])
def test_what_cannot_be_accepted_is_told(make: Make, phase: str, why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        accept_stale(make(), [phase])


def _temperature(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return "answers.temperature=0.3"


def _prompt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / "answers.txt").write_text("[user]\nThink.\n$question\n$choices\n", encoding="utf-8")
    return "seed=0"


def _system_prompt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / "answers.txt").write_text("[system]\nBe brief.\n[user]\n$question\n$choices\n", encoding="utf-8")
    return "seed=0"


def _schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    before = answer_rules.schema
    monkeypatch.setattr(answer_rules, "schema", lambda *asked: before(*asked) | {"description": "another"})
    return "seed=0"


def _rules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(answer_rules, "RULES_VERSION", answer_rules.RULES_VERSION + 1)
    return "seed=0"


@pytest.mark.parametrize("change", [_temperature, _prompt, _system_prompt, _schema, _rules])
def test_what_changes_in_mid_run_never_mixes_old_rows_with_new(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, pytest.MonkeyPatch], str]
) -> None:
    night = make("questions=null")
    with serving() as served:
        fill(night, served, "pool")
        first, second, *_ = answers.chunks(night)
        make_chunk.fn(night.store.place, night.name, night.stamp, first, served)
        asks = len(night.rows(pool.chunks(night), Question))
        with Journal(night.store.journal(second)) as journal:
            for reply in itertools.islice(replies(night.store.journal(first)), 2):
                journal.append(reply.model_copy(update={"id": night.rows(pool.chunks(night), Question)[8].id}))
        before = client().stats().sent
        after = make("questions=null", change(tmp_path, monkeypatch))
        fill(after, served, "pool", "answers")
    chunks = answers.chunks(after)
    assert len(after.made(chunks)) == len(chunks)
    assert {chunk.key for chunk in chunks}.isdisjoint({first.key, second.key})
    given = [reply for chunk in chunks for reply in replies(after.store.journal(chunk))]
    if change is _rules:
        assert client().stats().sent - before == 2 * asks - first.rows, "the same was asked: read anew, not asked anew"
        return
    assert len(given) == client().stats().sent - before == 2 * asks
    old = {(reply.prompt, reply.sampling) for reply in replies(night.store.journal(first))}
    assert old.isdisjoint((reply.prompt, reply.sampling) for reply in given)


def test_a_file_that_changed_under_a_night_is_refused_unless_its_questions_are_there(
    make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "maths.jsonl"
    file.write_text('{"question": "1 + 1?"}\n', "utf-8")
    sets = [
        "questions=null",
        f"pool={{file: {file}}}",
        "answers.reply=text",
        "student=null",
        "sft=null",
        "validate=null",
    ]
    night = make(*sets)
    with serving() as served:
        fill(night, served, "pool")
        file.write_text('{"question": "1 + 2?"}\n', "utf-8")
        begun = Night.open(night.store.place, night.name)
        assert said(begun)["pool"].word == "reuse", "its questions are in the store"
        assert said(make(*sets))["pool"].line == "pool: redo 1 chunk, because maths.jsonl changed"
    night.store.path(pool.chunks(night)[0], "manifest.json").unlink()
    with pytest.raises(Refused, match=r"pool: refuse 1 chunk, because .*maths.jsonl has changed since the night began"):
        refuse(reuse(begun))
