"""A recipe's window and fallbacks: what is refused, and where it says so."""

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.lineage import lineage
from nightschool.recipe.falling import fallen
from nightschool.recipe.load import dump_recipe, load_recipe
from nightschool.recipe.recipe import Recipe

HEAD = """\
name: small
teachers: [{name: ann, model: /m/a}]
student: {name: kim, model: /m/k, prompt: p.txt}
pool: {per_topic: 10, top_up: generator}
answers: {prompt: p.txt, samples: 4}
sft: {learning_rate: 1e-3}
pairs: {samples: 4}
dpo: {learning_rate: 1e-4}
validate: {per_topic: 20}
"""
WINDOW = """\
window:
  start: 22:00
  end: 06:00
  zone: Europe/Berlin
  days: [mon, fri]
"""
FALLBACKS = """\
fallbacks:
  - name: light-rl
    sets: {dpo.epochs: 2, dpo.questions: 150}
    until: pairs
  - name: no-rl
    description: no RL at all
    sets:
      pairs: null
      dpo: null
"""


def read(folder: Path, *parts: str, old: str = "", new: str = "") -> Recipe:
    (folder / "p.txt").write_text("[user]\n$question\n$choices\n")
    text = "".join(parts or (HEAD, WINDOW, FALLBACKS))
    assert old in text
    (folder / "r.yaml").write_text(text.replace(old, new))
    return load_recipe(folder / "r.yaml")


def refused(folder: Path, old: str, new: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read(folder, old=old, new=new)
    return str(caught.value).removeprefix(f"{folder}/")


def test_no_key_of_any_row_depends_on_a_window(tmp_path):
    engines = {"ann": "vllm", "kim": "vllm"}
    bare = read(tmp_path, HEAD)
    assert lineage(read(tmp_path), engines) == lineage(bare, engines)


def test_what_was_read_is_read_back_from_what_a_night_writes_down(tmp_path):
    recipe = read(tmp_path)
    (tmp_path / "again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(tmp_path / "again.yaml") == recipe


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("06:00", "22:00", "r.yaml:12: window.end: the window ends as it starts"),
        ("06:00", "24:00", "r.yaml:12: window.end: is not allowed"),
        ("Europe/Berlin", "Europe/Berln", 'r.yaml:13: window.zone: there is no such time zone (got "Europe/Berln")'),
        ("Europe/Berlin", "../../etc/passwd", "r.yaml:13: window.zone: there is no such time zone"),
        ("[mon, fri]", "[monday]", "r.yaml:14: window.days.0: unknown value, did you mean mon?"),
        ("dpo.epochs: 2", "dpo.epoch: 2", "r.yaml:17: dpo.epoch: unknown key"),
        ("dpo.epochs: 2", "dpo.epochs: -1", "r.yaml:17: dpo.epochs: is out of range (got -1)"),
        ("dpo.epochs: 2", "nothing.at.all: 2", "r.yaml:17: nothing: unknown key"),
        ("until: pairs", "until: pears", 'r.yaml:18: fallbacks.0.until: the recipe runs no such phase (got "pears")'),
        ("      dpo: null\n", "", "r.yaml:21: fallbacks.1.sets: without no-rl no recipe is left:"),
        ("pairs: null", "splits.test: 0.5", "r.yaml:22: fallbacks.1.sets.splits.test: splits.test is not to be given"),
        ("pairs: null", "answers.prompt: q.txt", "r.yaml:22: fallbacks.1.sets.answers.prompt: answers.prompt is read"),
        ("dpo: null", "student: null", "r.yaml:21: fallbacks.1.sets: without no-rl no recipe is left:"),
        ("name: no-rl", "name: light-rl", "r.yaml:15: fallbacks: named more than once: light-rl"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, old, new, said):
    assert refused(tmp_path, old, new).startswith(said)


def test_a_student_is_not_to_be_given_up(tmp_path):
    nobody = "pairs: null\n      student: null\n      sft: null\n      validate.side: test"
    assert "validate.side is not to be given up" in refused(tmp_path, "pairs: null", nobody)


def test_a_fallback_is_laid_over_the_recipe_as_it_stands(tmp_path):
    recipe = read(tmp_path)
    light, none = (fallen(recipe, one.sets) for one in recipe.fallbacks)
    assert light is not None
    assert none is not None
    assert [(one.epochs, one.questions, one.learning_rate) for one in light.dpo] == [(2.0, 150, 1e-4)]
    assert (none.dpo, none.pairs, none.answers) == ((), None, recipe.answers)
    assert light.fallbacks == ()
    assert fallen(none, {"dpo.epochs": 2}) is None
