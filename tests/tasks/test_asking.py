"""A chunk's asks against a real server: each paid for once, asked anew only where that helps, never mixed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blocks.journal import replies
from blocks.scripted import Script
from blocks.scripted.local import scripted
from nightschool.errors import BudgetSpent
from nightschool.recipe.load import load_recipe
from nightschool.records import Solutions
from nightschool.wire import Endpoint
from tasks import answers, pool, rows
from tasks.night import Night
from tasks.spending import spent
from tasks.step import Made
from tests.blocks.client_asks import counted

RECIPE = """
name: data
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
pool: {{file: q.jsonl, fields: {{question: problem}}}}
answers: {{reply: text, prompt: p.txt, samples: 2, max_tokens: 20, chunk_rows: 40}}
"""


@pytest.fixture
def night(tmp_path: Path) -> Night:
    (tmp_path / "p.txt").write_text("[user]\nSolve: $question\n")
    (tmp_path / "q.jsonl").write_text("".join(f'{{"problem": "what is {n}+1?"}}\n' for n in range(40)))
    (tmp_path / "r.yaml").write_text(RECIPE.format(store=tmp_path / "runs"))
    night = Night.plan(load_recipe(tmp_path / "r.yaml"))
    (chunk,) = pool.chunks(night)
    made = pool.make(night, chunk, {})
    night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures, files=made.files)
    return night


def script(**fields: Any) -> Script:
    return Script.model_validate({"behaviour": "echo", "models": {"ann": {}}, **fields})


def make(night: Night, url: str, **fields: Any) -> Made:
    (chunk,) = answers.chunks(night)
    return answers.make(night, chunk, {"ann": Endpoint(model="ann", urls=(url,), **fields)})


def on_file(night: Night) -> list[tuple[str, int | None, int]]:
    (chunk,) = answers.chunks(night)
    return [(reply.id, reply.sample, reply.again) for reply in replies(night.store.journal(chunk))]


def test_what_was_cut_off_is_asked_again_with_more_room_and_all_that_was_paid_is_on_file(night: Night) -> None:
    with scripted(script(faults={"truncated": 0.4})) as url:
        made = make(night, url)
        paid = counted(url)["total"]
        again = make(night, url)
        assert counted(url)["total"] == paid
    asked_again = [name for name in on_file(night) if name[2]]
    assert paid == len(on_file(night)) == 40 + len(asked_again)
    assert len(asked_again) > 10
    assert len(made.rows) + len(made.dropped) == 40
    assert {reason for reason, _ in made.dropped} <= {"truncated"}
    assert again.rows == made.rows
    assert isinstance(made.rows, list)
    whole = [row for row in made.rows if isinstance(row, Solutions) and len(row.said) == 2]
    # Without asking again, 14 of 40 rows would have both samples.
    assert len(whole) > 18
    assert made.figures["requests"] == paid


def test_a_reply_to_another_prompt_is_not_used(night: Night) -> None:
    with scripted(script()) as url:
        make(night, url)
        (chunk,) = answers.chunks(night)
        journal = night.store.journal(chunk)
        lines = journal.read_bytes()
        recipe = load_recipe(Path(night.recipe.store).parent / "r.yaml", sets=["answers.temperature=0.1"])
        other = Night.plan(recipe)
        (its,) = answers.chunks(other)
        assert its.key != chunk.key
        # Even if another's journal came to lie in its place.
        other.store.journal(its).parent.mkdir(parents=True, exist_ok=True)
        (pooled,) = pool.chunks(other)
        assert other.store.manifest(pooled)
        other.store.journal(its).write_bytes(lines)
        before = counted(url)["total"]
        make(other, url)
        assert counted(url)["total"] == before + 40


def test_samples_one_by_one_go_on_where_they_stopped(night: Night) -> None:
    with scripted(script(several="refuse")) as url:
        made = make(night, url)
        assert counted(url)["total"] == 80
        (chunk,) = answers.chunks(night)
        journal = night.store.journal(chunk)
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(lines[:50]))
        again = make(night, url)
        assert counted(url)["total"] == 80 + 30
    assert again.rows == made.rows
    assert isinstance(made.rows, list)
    assert all(isinstance(row, Solutions) and len(row.said) == 2 for row in made.rows)


def test_a_row_whose_line_is_damaged_is_asked_again_before_its_chunk_is_whole(night: Night) -> None:
    with scripted(script()) as url:
        made = make(night, url)
        (chunk,) = answers.chunks(night)
        journal = night.store.journal(chunk)
        lines = journal.read_bytes().splitlines(keepends=True)
        lines[7] = lines[7].replace(b'"tokens_in":', b'"tokens_im":')
        lines[8] = lines[8].replace(b'"text":"', b'"text":"not said: ')
        journal.write_bytes(b"".join(lines))
        again = make(night, url)
        assert counted(url)["total"] == 40 + 2
    assert again.rows == made.rows


def test_a_budget_counts_what_was_spent_under_any_key_and_what_a_kill_left_unknown(night: Night) -> None:
    """A row costs 12, at worst some 300."""
    money = {"price_in": 1e6, "price_out": 1e6, "budget": 500.0}
    account = night.dir / "spent" / "ann.json"
    with scripted(script()) as url:
        with pytest.raises(BudgetSpent):
            make(night, url, **money)
        first = counted(url)["total"]
        assert 0 < first < 40
        assert json.loads(account.read_bytes())["spent_at_most"] == pytest.approx(12 * first)
        paid = night.recipe.teachers[0].model_copy(update={"budget": 500.0})
        billed = replace(night, recipe=night.recipe.model_copy(update={"teachers": (paid,)}))
        assert spent(billed) == {"ann": pytest.approx(12 * first)}
        assert spent(night) == {}
        night.store.forget(answers.chunks(night)[0])  # as --fresh does, replies and all
        with pytest.raises(BudgetSpent):
            make(night, url, **money)
        assert counted(url)["total"] - first <= 1
        make(night, url, **{**money, "budget": 1e6})
    assert len(on_file(night)) == 40


def test_every_reply_can_be_looked_at_with_all_that_made_it(night: Night) -> None:
    with scripted(script()) as url:
        made = make(night, url)
    (chunk,) = answers.chunks(night)
    live = list(rows.replies(night, "answers", None))
    night.store.commit(chunk, rows=made.rows, dropped=[], figures=made.figures)
    assert list(rows.replies(night, "answers", 0)) == live
    found = [json.loads(line) for line in live]
    assert len({one["id"] for one in found}) == len(found) == 40
    assert {"model", "prompt", "seed", "sampling", "tokens_in", "tokens_out", "latency_s", "attempts"} <= set(found[0])
    assert {choice["finish"] for one in found for choice in one["choices"]} == {"stop"}
