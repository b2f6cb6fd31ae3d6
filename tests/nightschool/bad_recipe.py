"""A small recipe to spoil, and what loading the spoilt one says."""

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe

RECIPE = """\
name: small
topics: [series]
teachers:
  - name: ann
    model: /m/a
  - {name: ben, model: /m/b}
student: {name: kim, model: /m/k, prompt: p.txt}
pool: {per_topic: 10, top_up: generator}
answers:
  prompt: p.txt
  samples: 1
committee: {quorum: 2}
sft: {learning_rate: 1e-3}
validate: {per_topic: 20}
"""


def recipe_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a prompt and a profile in it."""
    (tmp_path / "p.txt").write_text("[user]\n$question\n$choices\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "tiny.yaml").write_text("answers:\n  samples: many\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message_of(text: str, *, profile: str | None = None, sets: tuple[str, ...] = ()) -> str:
    """The error of a recipe with this text, which fits on a screen."""
    Path("r.yaml").write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(Path("r.yaml"), profile=profile, sets=sets)
    message = str(caught.value)
    assert len(message.splitlines()) <= 15
    assert len(message) < 5_000
    return message
