"""Stages as a recipe writes them, as they come out, and every way to get them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.lineage import lineage
from nightschool.recipe.load import dump_recipe, load_recipe
from nightschool.recipe.lora import Lora
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Stage
from tests.nightschool.bad_recipe import RECIPE, message_of, recipe_folder

ONE = "sft: {learning_rate: 1e-3}\n"
WRITTEN = "questions: {prompt: q.txt, per_topic: 4}\n"
PAIRS = "pairs: {}\n"
AGENTS = """\
questions: {prompt: q.txt, per_topic: 4}
sft:
  - {name: asker, teaches: questions, learning_rate: 2e-4, max_length: 2048, lora: {r: 128, alpha: 256}}
  - {name: solver, learning_rate: 3e-4, lora: {r: 128, alpha: 256}}
pairs: {}
dpo:
  - {name: first, learning_rate: 1e-5}
  - {name: second, learning_rate: 1e-5, reference: solver}
  - {name: aside, start: base, learning_rate: 1e-5, prompt: other.txt}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = recipe_folder(tmp_path, monkeypatch)
    (found / "q.txt").write_text("[user]\nWrite on $topic: $hint\n")
    (found / "other.txt").write_text("[user]\nBriefly: $question\n$choices\n")
    return found


def loaded(stages: str = ONE, *sets: str) -> Recipe:
    Path("r.yaml").write_text(RECIPE.replace(ONE, stages))
    return load_recipe(Path("r.yaml"), sets=sets)


def stages(text: str) -> dict[str, Stage]:
    return {stage.name: stage for stage in loaded(text).stages}


def test_one_mapping_is_a_list_of_one() -> None:
    [stage] = loaded().stages
    assert (stage.name, stage.start, stage.lora, stage.goes_on, stage.whole) == ("sft", "base", Lora(), False, False)
    assert loaded(ONE) == loaded("sft: [{learning_rate: 1e-3}]\n")
    assert loaded(ONE, "sft.epochs=3").sft[0].epochs == 3


def test_what_is_left_out_follows_from_the_stages_before() -> None:
    found = stages(AGENTS)
    assert {name: stage.start for name, stage in found.items()} == {
        "asker": "base", "solver": "base", "first": "solver", "second": "first", "aside": "base",
    }  # fmt: skip
    assert {name: stage.reference for name, stage in found.items() if stage.kind == "dpo"} == {
        "first": "solver", "second": "solver", "aside": "base",
    }  # fmt: skip
    assert found["second"].lora == found["solver"].lora == Lora(r=128, alpha=256)
    assert found["aside"].lora == Lora()
    assert [name for name, stage in found.items() if stage.goes_on] == ["first", "second"]
    assert found["aside"].prompts["answers"].user.startswith("Briefly")
    assert found["second"].prompts["answers"].user.startswith("$question")
    assert found["asker"].prompts["questions"].user.startswith("Write on")
    learner = loaded(AGENTS).learner
    assert learner is not None
    assert learner.measured == ("base", "solver", "first", "second", "aside")


def test_whole_weights_are_what_later_stages_stand_on() -> None:
    found = stages(ONE.replace("}", ", lora: none}") + PAIRS + "dpo: {learning_rate: 1e-5, lora: {r: 8}}\n")
    assert (found["sft"].under, found["sft"].whole) == ("sft", True)
    assert (found["dpo"].under, found["dpo"].goes_on, found["dpo"].lora) == ("sft", False, Lora(r=8))
    assert stages(ONE.replace("}", ", lora: none}") + PAIRS + "dpo: {learning_rate: 1e-5}\n")["dpo"].whole


def test_what_is_written_is_read_back() -> None:
    recipe = loaded(AGENTS)
    Path("again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(Path("again.yaml")) == recipe


def test_a_stage_renames_what_follows_from_it_and_no_other() -> None:
    engines: dict[str, str] = {name: "scripted" for name in ("ann", "ben", "kim")}
    before, names = lineage(loaded(AGENTS), engines), set[str]()
    for change, expected in {
        "sft.0.epochs=2": {"sft/asker"},
        "sft.1.epochs=2": {"sft/solver", "pairs/first", "dpo/first", "pairs/second", "dpo/second", "validate/solver",
                           "validate/first", "validate/second"},
        "dpo.1.reference=start": {"dpo/second", "validate/second"},
        "sft.0.name=writer": {"sft/asker", "sft/writer"},
    }.items():  # fmt: skip
        after = lineage(loaded(AGENTS, change), engines)
        names = {place for place in before | after if before.get(place) != after.get(place)}
        assert names == expected, change
    assert names, "a name is no part of a key, but of its place"
    assert lineage(loaded(AGENTS, "sft.0.name=writer"), engines)["sft/writer"] == before["sft/asker"]


BAD = {
    "a start that comes later": (
        "sft: [{name: a, start: b, learning_rate: 1e-3}, {name: b, learning_rate: 1e-3}]\n",
        'sft.0.start: b is no earlier stage (got "b"); allowed: base',
    ),
    "a start in a mapping": (ONE.replace("}", ", start: a}"), "r.yaml:13: sft.start: a is no earlier stage"),
    "two of one name": ("sft: [{learning_rate: 1e-3}, {learning_rate: 1e-3}]\n", "sft.1.name: sft is named twice"),
    "base as a name": (ONE.replace("}", ", name: base}"), "sft.name: base is no name for a stage"),
    "a reference that is not there": (
        ONE + PAIRS + "dpo: {learning_rate: 1e-5, reference: b}\n",
        'dpo.reference: b is no earlier stage (got "b"); allowed: start, base, sft',
    ),
    "a reference on other weights": (
        ONE.replace("}", ", lora: none}") + PAIRS + "dpo: {learning_rate: 1e-5, lora: {r: 8}, reference: base}\n",
        'dpo.reference: base stands on the weights of base, and dpo on those of sft (got "base"); allowed: start',
    ),
    "an adapter as reference of whole weights": (
        "sft: [{name: a, learning_rate: 1e-3}, {name: b, learning_rate: 1e-3, lora: none}]\n" + PAIRS
        + "dpo: {learning_rate: 1e-5, reference: a}\n",
        "dpo.reference: all weights of dpo are trained, and a is an adapter",
    ),
    "another adapter than the one gone on with": (
        ONE + PAIRS + "dpo: {learning_rate: 1e-5, lora: {r: 8}}\n",
        'dpo.lora: dpo goes on with the adapter of sft (got {"r": 8}); allowed: leave it out, or start: base',
    ),
    "weights that are neither": (ONE.replace("}", ", lora: all}"), 'sft.lora: unknown value (got "all"); allowed:'),
    "a lesson that nothing makes": (
        "sft: [{learning_rate: 1e-3}, {name: q, teaches: questions, learning_rate: 1e-3}]\n",
        "sft.1.teaches: questions are taught, and there is no questions section to make them",
    ),
    "critiques of letters": (
        "sft: [{learning_rate: 1e-3}, {name: c, teaches: critiques, learning_rate: 1e-3}]\n",
        "sft.1.teaches: critiques are taught, and there is no critique section",
    ),
    "an unknown lesson": (
        ONE.replace("}", ", teaches: manners}"),
        'sft.teaches: unknown value, did you mean answers? (got "manners")',
    ),
    "a lesson without weight": (
        WRITTEN + ONE.replace("}", ", teaches: {answers: 2, questions: 0}}"),
        "sft.teaches.questions: is out of range (got 0)",
    ),
    "one prompt for two lessons": (
        WRITTEN + ONE.replace("}", ", teaches: {answers: 2, questions: 1}, prompt: other.txt}"),
        "sft.prompt: there is one prompt for several lessons",
    ),
    "a prompt that asks for nothing": (
        WRITTEN + ONE.replace("}", ", prompt: q.txt}"),
        "sft.prompt: the prompt has a placeholder unknown here: $hint",
    ),
    "marks that are parts of one another": (
        ONE.replace("}", ", roles: {answers: <, questions: <Q}}"),
        "sft.roles: < is a part of another mark",
    ),
    "a mark with a blank": (ONE.replace("}", ", roles: {answers: 'A B'}}"), "sft.roles.answers: is not allowed"),
    "tokens in 4 bits": (
        ONE.replace("}", ", roles: {kind: tokens}, lora: {quantize: 4bit}}"),
        "sft.roles.kind: new tokens are trained into the weights, which 4 bits cannot hold",
    ),
    "tokens in the middle of a chain": (
        "sft: [{learning_rate: 1e-3}, {name: b, start: sft, roles: {kind: tokens}, learning_rate: 1e-3}]\n",
        "sft.1.roles.kind: new tokens for the adapter of sft, which it goes on with",
    ),
    "weights under a loss that knows none": (
        ONE + PAIRS + "dpo: {learning_rate: 1e-5, loss: [ipo]}\nbalance: {by: [topic], method: weights}\n",
        "dpo.loss: balance.method weighs rows, and ipo counts all pairs alike",
    ),
    "no modules": (ONE.replace("}", ", lora: {target_modules: []}}"), "sft.lora.target_modules: an adapter of no"),
    "a gate over a stage that comes later": (
        AGENTS + "gates: [{name: g, metric: accuracy_gain, stage: solver, over: first, at_least: 0}]\n",
        "gates.0.over: gate g: solver is not after first",
    ),
    "a gate on what is not measured": (
        AGENTS + "gates: [{name: g, metric: accuracy, stage: asker, at_least: 0}]\n",
        "gates.0.stage: gate g is about asker, which this recipe leaves out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_stages_are_named(name: str) -> None:
    stages, expected = BAD[name]
    message = message_of(RECIPE.replace(ONE, stages))
    assert expected in message
    assert len(message.splitlines()) == 1


def test_a_student_that_learns_something_else_is_measured_by_its_answers_all_the_same() -> None:
    learner = loaded(WRITTEN + ONE.replace("}", ", teaches: questions}")).learner
    assert learner is not None
    assert learner.measured == ("base", "sft")
    assert learner.prompt("sft").user.startswith("$question")


def test_roles_mark_every_prompt_of_a_stage_and_of_those_that_go_on_with_it() -> None:
    both = WRITTEN + ONE.replace("}", ", teaches: {answers: 2, questions: 1}, roles: {questions: <W>}}")
    found = stages(both + PAIRS + "dpo: {learning_rate: 1e-5}\n")
    assert found["sft"].teaches == {"answers": 2.0, "questions": 1.0}
    for stage in found.values():
        assert stage.prompts["answers"].user.startswith("<A> $question")
        assert stage.prompts["questions"].user.startswith("<W> Write on")
    learner = loaded(both).learner
    assert learner is not None
    assert learner.prompt("base").user.startswith("$question"), "the base knows no roles"


def test_new_tokens_make_a_whole_model_once() -> None:
    tokens = ONE.replace("}", ", roles: {kind: tokens}}") + PAIRS
    found = stages(tokens + "dpo: {learning_rate: 1e-5}\n")
    assert (found["sft"].whole, found["sft"].tokens, found["sft"].lora) == (True, ("<A>", "<Q>", "<C>"), Lora())
    assert (found["dpo"].under, found["dpo"].tokens, found["dpo"].goes_on) == ("sft", (), False)
