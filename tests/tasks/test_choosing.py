"""What comes between the committee and the lesson: filters, splits and balance, on rows that lie in a real store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

from blocks.picked import ROWS
from nightschool.errors import DataError, RecipeError
from nightschool.recipe.load import load_recipe
from nightschool.records import Ruling
from nightschool.splits import side_of
from tasks import balance, committee, filters, splits
from tasks.night import Night
from tasks.steps import STEPS
from tests.nightschool.choosing import ruling

RECIPE = """
name: {name}
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
pool: {{file: q.jsonl, fields: {{answer: answer}}}}
answers: {{reply: text, value: yes_no, prompt: p.txt, chunk_rows: 400}}
filters:
  length: {{explanation: {{least: 2}}}}
  near_duplicates: {{threshold: 0.8}}
  contamination: {{sets: {{exam: {{file: exam.jsonl}}}}}}
splits: {{validation: 0.1, test: 0.2}}
balance: {{by: [answer], within: [level]}}
"""
WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet", "jetty", "knoll", "ledge", "mesa",
)  # fmt: skip


def text(number: int) -> str:
    """Eight words that no two numbers share three in a row of."""
    return f"Is {' '.join(f'{word}{number}' for word in WORDS[number % 5 : number % 5 + 8])} so?"


def rows(count: int = 400) -> list[Ruling]:
    """Three of ten say yes; level 2 has fewer of them."""
    return [
        ruling(
            number, "yes" if number % 10 < (4 if number % 2 else 2) else "no", text=text(number), topic="",
            level=str(1 + number % 2), reasoning="because" if number % 20 else "",
        )
        for number in range(count)
    ]  # fmt: skip


def side(question: str) -> str:
    return side_of(question, validation=0.1, test=0.2)


def begin(folder: Path, *sets: str, name: str = "first", found: list[Ruling] | None = None) -> Night:
    """A night whose committee has ruled."""
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "q.jsonl").write_bytes(
        b"".join(orjson.dumps({"question": text(n), "answer": "yes", "level": "1"}) + b"\n" for n in range(400))
    )
    (folder / "exam.jsonl").write_bytes(orjson.dumps({"question": text(33)}) + b"\n")
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs", name=name))
    night = Night.plan(load_recipe(folder / "r.yaml", sets=sets))
    night.begin()
    make(night, "pool")
    for chunk in committee.chunks(night):
        night.store.commit(chunk, rows=rows() if found is None else found, dropped=[], figures={})
    return night


def make(night: Night, *phases: str) -> None:
    for phase in phases:
        for chunk in STEPS[phase].chunks(night):
            made = STEPS[phase].make(night, chunk, {})
            night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)


def dropped(night: Night, module) -> Counter[str]:
    return Counter(str(row.reason) for row in night.each(module.chunks(night), Ruling, dropped=True))


def test_each_phase_goes_on_with_what_the_one_before_kept(tmp_path: Path) -> None:
    night = begin(tmp_path, found=[*rows(), ruling(900, "yes", text=text(7) + " Really?", level="1")])
    make(night, "filters", "splits", "balance")
    kept = night.rows(filters.out(night), Ruling)
    assert dropped(night, filters) == {"too_short": 20, "near_duplicate": 1, "contaminated": 1}
    assert len(kept) == 401 - 22
    sides = {row.id: row.side for row in night.rows(splits.out(night), Ruling)}
    assert sides == {row.id: side(row.question.question) for row in kept}
    taught, held = balance.taught(night), night.rows(balance.out(night), Ruling)[balance.lessons(night) :]
    assert {row.side for row in taught} == {"train"}
    assert {row.id for row in held} == {row for row, found in sides.items() if found != "train"}
    assert len(taught) + len(held) + dropped(night, balance).total() == len(kept)
    for level in "12":
        answers = Counter(row.answer for row in taught if row.question.level == level)
        assert answers["yes"] == answers["no"] > 10
    runs = [balance.taught(night, 50, index) for index in range(-(-balance.lessons(night) // 50))]
    assert [row for run in runs for row in run] == taught


def test_each_filter_tells_what_it_did_to_the_shares(tmp_path: Path) -> None:
    night = begin(tmp_path)
    make(night, "filters")
    [(chunk, manifest)] = night.made(filters.chunks(night))
    assert not night.store.path(chunk, ROWS).exists(), "what is kept as it is lies where it lay"
    found = {figures["name"]: figures for figures in manifest.figures["filters"]}
    assert list(found) == ["length", "near_duplicates", "contamination"]
    assert (found["length"]["rows_in"], found["length"]["rows_out"]) == (400, 380)
    assert found["length"]["shares"]["answer"] == {"yes": [120, 100], "no": [280, 280]}
    assert found["contamination"]["shares"]["level"]["2"] == [200, 199]


def test_what_an_earlier_night_taught_is_not_taught_again(tmp_path: Path) -> None:
    make(begin(tmp_path), "filters", "splits", "balance")
    again = begin(tmp_path, "filters.near_duplicates.against=[first]", name="second", found=rows(400))
    filters.look(again)
    make(again, "filters")
    taught = Night.open(again.store.place, "first")
    assert dropped(again, filters)["near_duplicate"] == len(taught.rows(balance.out(taught), Ruling)) > 200
    nobody = begin(tmp_path, "filters.near_duplicates.against=[nobody]", name="third")
    with pytest.raises(RecipeError, match=r"no such night.*first, second"):
        filters.look(nobody)


def test_a_question_stays_on_its_side_when_a_later_night_has_more_rows(tmp_path: Path) -> None:
    def sides(name: str, count: int) -> dict[str, str]:
        night = begin(tmp_path, "filters=null", "balance=null", name=name, found=rows(count))
        make(night, "splits")
        return {row.id: row.side for row in night.rows(splits.out(night), Ruling)}

    few, many = sides("few", 150), sides("many", 400)
    assert set(few.values()) == {"train", "validation", "test"}
    assert few == {name: many[name] for name in few}


def test_a_leak_is_dropped_reported_or_refused(tmp_path: Path) -> None:
    held = next(row for row in rows(100) if side(row.question.question) == "test").question.question
    other = next(f"{held} {tail}" for tail in "abcdefgh" if side(f"{held} {tail}") == "train")
    found = [*rows(100), ruling(950, "no", text=other, level="1")]
    for leaks in ("drop", "report"):
        night = begin(tmp_path, f"splits.leaks={leaks}", "filters=null", "balance=null", name=leaks, found=found)
        make(night, "splits")
        [(_, manifest)] = night.made(splits.chunks(night))
        assert (dropped(night, splits)["leak"], manifest.figures["leaks"]) == ((1, 0) if leaks == "drop" else (0, 1))
    night = begin(tmp_path, "splits.leaks=refuse", "filters=null", "balance=null", name="refuse", found=found)
    with pytest.raises(DataError, match="first q950, as q"):
        make(night, "splits")


def test_rows_that_a_filter_spares_weigh_less_and_balance_weighs_them(tmp_path: Path) -> None:
    night = begin(tmp_path, "filters.length.weight=0.25", "balance.method=weights", "splits=null")
    make(night, "filters", "balance")
    taught = balance.taught(night)
    spared = [row for row in taught if row.mended.spared]
    assert len(spared) == 20
    assert dropped(night, filters) == {"contaminated": 1}
    for level in "12":
        mass: Counter[str] = Counter()
        for row in taught:
            if row.question.level == level:
                mass[str(row.answer)] += row.weight  # pyright: ignore[reportArgumentType]
        assert mass["yes"] == pytest.approx(mass["no"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("balance.by=[leevl]", "no field leevl"),
        ("balance.target={yes: 0.5, no: 0.4}", "0.9 in all"),
        ("filters.language={allowed: [xx]}", "no such language: xx"),
        ("filters.length.weight=0.5", "less weight"),
        ("filters.contamination.sets={exam: {kind: plain}}", "an evaluation set is a file"),
        ("splits.test=0.95", "nothing is left to train on"),
        ("answers.value=none", "no row is accepted"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        begin(tmp_path, change)
