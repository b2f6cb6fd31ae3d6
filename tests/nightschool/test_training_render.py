"""Rows become token ids as they are served and asked later, none longer than the context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nightschool.errors import DataError
from nightschool.leaks import Asked
from nightschool.recipe.learning import TooLong
from nightschool.training.job import load_job
from nightschool.training.record import Prompts
from nightschool.training.render import Rendered, check_asked, fit, render_rows
from nightschool.training.rows import SftRow, TrainingRow, look, read_rows
from nightschool.wire import Message
from tests.nightschool.test_training_job import SFT, USER, write_job, write_rows


class Letters:
    """A tokenizer of one token a character; `template` says how a conversation is written."""

    def __init__(self, turn: str = "<{role}>{content};", last: str = "<assistant>") -> None:
        self.turn, self.last = turn, last

    def apply_chat_template(
        self, conversations: list[list[dict[str, str]]], *, add_generation_prompt: bool, **_: bool
    ) -> list[str]:
        texts = ["".join(self.turn.format(**message) for message in turns) for turns in conversations]
        return [text + self.last * add_generation_prompt for text in texts]

    def __call__(self, texts: list[str], **_: bool) -> dict[str, list[list[int]]]:
        return {"input_ids": [[ord(c) for c in text] for text in texts]}

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [chr(one) for one in ids]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


FILE = Path("rows.jsonl")


def render(tokenizer: Letters, *rows: TrainingRow) -> list[Rendered]:
    given = rows or (SftRow.model_validate(SFT),)
    return render_rows(given, tokenizer, stop_ids=frozenset({ord(";")}), file=FILE)


def test_completion_is_what_the_served_model_would_say() -> None:
    (row,) = render(Letters())
    assert Letters().decode(row.prompt_ids) == "<user>2 + 2?;<assistant>"
    assert [Letters().decode(ids) for ids in row.completion_ids] == ["4;"]
    assert row.length == 26


@pytest.mark.parametrize(
    ("tokenizer", "says"),
    [
        (Letters(last="<assistant><think>"), r"row s1: in the prompt, token 24 is '4' \(52\) as trained and '<'"),
        (Letters(turn="<{role}>{content}"), "row s1: the template leaves the turn open"),
    ],
)
def test_row_trained_otherwise_than_served_is_refused(tokenizer: Letters, says: str) -> None:
    with pytest.raises(DataError, match=r"^rows\.jsonl:1: " + says):
        render(tokenizer)


def test_row_trained_otherwise_than_asked_later_is_refused_where_the_two_part() -> None:
    found = render(Letters())
    asked = [Asked(id="s1", prompt=found[0].row.prompt, answer="4", kind="integer")]
    check_asked(found, asked, Letters(), file=FILE)
    other = asked[0].model_copy(update={"prompt": (Message(role="user", content="2 + 2 ="),)})
    with pytest.raises(DataError, match=r"rows\.jsonl:1: row s1: in the prompt, token 11 is '\?' \(63\) as trained "):
        check_asked(found, [other], Letters(), file=FILE)


def long_and_short() -> list[Rendered]:
    long = {**SFT, "id": "long", "completion": [{"role": "assistant", "content": "four, and that is sure"}]}
    endless = {**SFT, "id": "endless", "prompt": [{"role": "user", "content": "2 + 2?" * 20}]}
    return render(Letters(), *(SftRow.model_validate(row) for row in (SFT, long, endless)))


def test_rows_over_the_context_are_refused_with_their_number_and_the_longest() -> None:
    told = r"^rows\.jsonl:3: 2 of 3 rows are longer than max_length 30, the longest is row endless with 140 tokens"
    with pytest.raises(DataError, match=told):
        fit(long_and_short(), max_length=30, too_long="refuse", file=FILE)


def test_rows_over_the_context_are_dropped_by_choice_and_counted() -> None:
    kept, counts = fit(long_and_short(), max_length=30, too_long="drop", file=FILE)
    assert [(one.row.id, one.line) for one in kept] == [("s1", 1)]
    assert counts == Prompts(rows=3, too_long=2, dropped=2)


def test_a_cut_row_loses_the_end_of_what_is_learned_and_none_of_its_prompt() -> None:
    kept, counts = fit(long_and_short(), max_length=30, too_long="truncate", file=FILE)
    assert [(one.row.id, one.length) for one in kept] == [("s1", 26), ("long", 30)]
    assert Letters().decode(kept[1].prompt_ids + kept[1].completion_ids[0]) == "<user>2 + 2?;<assistant>four, "
    assert counts == Prompts(rows=3, too_long=2, dropped=1, truncated=1)


@pytest.mark.parametrize("too_long", ["drop", "truncate"])
def test_nothing_left_to_train_on_is_told(too_long: TooLong) -> None:
    with pytest.raises(DataError, match="all 3 rows are longer than max_length 20"):
        fit(long_and_short(), max_length=20, too_long=too_long, file=FILE)


LEAKY = {**SFT, "prompt": [{"role": "user", "content": "2 + 2? The answer is 4."}]}
LATER = {"id": "s1", "prompt": [USER], "answer": "4", "kind": "integer"}


@pytest.mark.parametrize(
    ("rows", "asked", "leaks", "says"),
    [
        ([LEAKY], [LATER], "refuse", "1 of 1 prompts give their answer away"),
        ([SFT], [{**LATER, "id": "s2"}], "allow", "not those that are trained on"),
        ([SFT, SFT], [LATER], "allow", "not those that are trained on"),
        ([SFT], ["{"], "allow", r"asked\.jsonl:1: .*JSON"),
    ],
)
def test_prompts_are_held_against_what_is_asked_later(
    tmp_path: Path, rows: list[Any], asked: list[Any], leaks: str, says: str
) -> None:
    file, later = write_rows(tmp_path / "rows.jsonl", *rows), write_rows(tmp_path / "asked.jsonl", *asked)
    job = load_job(write_job(tmp_path, rows=str(file), asked=str(later), leaks=leaks))
    with pytest.raises(DataError, match=says):
        look(job, read_rows(file, "sft"))


def test_leaks_are_counted_where_they_are_allowed(tmp_path: Path) -> None:
    file, later = write_rows(tmp_path / "rows.jsonl", LEAKY), write_rows(tmp_path / "asked.jsonl", LATER)
    job = load_job(write_job(tmp_path, rows=str(file), asked=str(later), leaks="allow"))
    found = look(job, read_rows(file, "sft"))
    assert found is not None
    assert (found.rows, found.others, len(found.leaks)) == (1, ("s1",), 1)
