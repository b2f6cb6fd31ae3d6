"""Drafts in the prompt: how one is shown and left out, whose it is, and every way to get that wrong in a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.answers import messages
from nightschool.drafts import draft_id, read
from nightschool.lineage import lineage
from nightschool.prompts import Prompt
from nightschool.recipe.load import load_recipe
from nightschool.recipe.stages import Stage
from nightschool.records import Question
from nightschool.wire import Choice, Reply
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder

PROMPT = Prompt(system="Be brief.\nA draft: ${draft}", user="$question\nDraft: $draft\nIt costs $$draft.\n$choices")
TWO = """\
sft:
  - {name: first, learning_rate: 1e-3}
  - {name: second, start: first, draft_of: first, prompt: d.txt, learning_rate: 1e-3}
"""
ONE = "sft: {learning_rate: 1e-3}\n"


def question(name: str = "q", text: str = "Is it?", choices: tuple[str, ...] = ("x", "y")) -> Question:
    return Question(id=name, topic="t", question=text, choices=choices, truth=None, key=None, source="s", check="ok")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = recipe_folder(tmp_path, monkeypatch)
    (found / "d.txt").write_text("[user]\n$question\n$choices\nA draft: $draft\n")
    return found


def stages(text: str) -> dict[str, Stage]:
    Path("r.yaml").write_text(RECIPE.replace(ONE, text))
    return {stage.name: stage for stage in load_recipe(Path("r.yaml")).stages}


def test_a_draft_stands_where_the_prompt_has_it_whatever_it_says() -> None:
    system, user = messages(question(), PROMPT, "$question\n${x}")
    assert system.content == "Be brief.\nA draft: $question\n${x}"
    assert user.content == "Is it?\nDraft: $question\n${x}\nIt costs $draft.\nA) x\nB) y"


def test_without_a_draft_no_word_of_one_is_left() -> None:
    system, user = messages(question(), PROMPT)
    assert (system.content, user.content) == ("Be brief.", "Is it?\nIt costs $draft.\nA) x\nB) y")
    assert not Prompt(system=None, user="It costs $$draft. $question").shows_draft
    [alone] = messages(question(), Prompt(system="Draft: $draft", user="$question"))
    assert alone.content == "Is it?"
    assert messages(question(), PROMPT, "")[1].content.splitlines()[1] == "Draft: "


def test_a_draft_goes_by_what_is_read_of_a_question() -> None:
    assert draft_id(question("a")) == draft_id(question("b")) != draft_id(question(choices=("y", "x")))
    said = (Choice(text=" Yes, si\n", finish="length"),)
    cut_off = Reply(id="r", model="m", choices=said, tokens_in=1, tokens_out=1, seed=0, latency_s=0.1, attempts=1)
    assert (read(cut_off).text, read(cut_off).finish) == ("Yes, si", "length")


def test_a_stage_that_begins_with_one_that_is_shown_drafts_is_shown_them_too(folder: Path) -> None:
    two = "  - {name: third, learning_rate: 1e-5}\n  - {name: plain, prompt: p.txt, learning_rate: 1e-5}\n"
    dpo = f"pairs: {{}}\ndpo:\n{two}"
    found = {name: stage.draft_of for name, stage in stages(TWO + dpo).items()}
    assert found == {"first": "", "second": "first", "third": "first", "plain": ""}
    looped = stages(TWO + "pairs: {}\ndpo: {learning_rate: 1e-5, rounds: 2}\n")
    assert {stage.draft_of for name, stage in looped.items() if name.startswith("dpo")} == {"first"}


def test_what_is_drafted_renames_what_is_shown_it_and_no_other(folder: Path) -> None:
    def keys(text: str) -> dict[str, str]:
        Path("r.yaml").write_text(RECIPE.replace(ONE, text))
        return dict(lineage(load_recipe(Path("r.yaml")), dict.fromkeys(("ann", "ben", "kim"), "transformers")))

    own, other = keys(TWO), keys(TWO.replace("draft_of: first", "draft_of: base"))
    assert "drafts/first" in own
    assert "drafts/base" in other
    renamed = {place for place in own.keys() & other.keys() if own[place] != other[place]}
    assert renamed == {"sft/second", "validate/second", "timing/second"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO.replace("draft_of: first, ", ""), "draft_of: the prompt shows $draft, and nobody is named who drafts"),
        (TWO.replace(", prompt: d.txt", ""), "sft.1.draft_of: the prompt has no $draft"),
        (TWO.replace("draft_of: first", "draft_of: later"), "sft.1.draft_of: later is no earlier stage"),
        (TWO + "  - {name: third, start: first, draft_of: second, prompt: d.txt, learning_rate: 1e-3}\n",
         "sft.2.draft_of: second is itself shown a draft, by first"),
        (TWO.replace("d.txt", "bad.txt"), "sft.prompt: the prompt lacks $choices"),
        (TWO + "serve: {max_model_len: 1024}\n", "student.max_tokens: a draft and a reply of 512 tokens leave no room"),
    ],
)  # fmt: skip
def test_drafts_that_cannot_be_shown_are_refused(folder: Path, text: str, said: str) -> None:
    (folder / "bad.txt").write_text("[user]\n$question\nDraft $draft of $choices\n")
    assert said in " ".join(message_of(RECIPE.replace(ONE, text)).split())


def test_the_students_own_prompt_shows_none(folder: Path) -> None:
    assert "placeholder unknown here: $draft" in message_of(
        RECIPE.replace("/m/k, prompt: p.txt", "/m/k, prompt: d.txt")
    )
