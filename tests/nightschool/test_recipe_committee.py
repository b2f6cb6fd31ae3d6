"""The recipe's section `committee`: what is refused, where, and what follows from what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightschool.errors import RecipeError
from nightschool.recipe.load import load_recipe
from tests.nightschool.bad_recipe import RECIPE as LETTERS

TEXT = """\
name: data
teachers: [{name: ann, model: /m/a}, {name: ben, model: /m/b}]
pool: {file: q.jsonl, fields: {question: problem, answer: answer}}
answers: {reply: text, value: latex, prompt: p.txt, samples: 4}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.txt").write_text("[user]\n$question\n$choices\n")
    (tmp_path / "q.jsonl").write_text('{"problem": "1+1", "answer": "2"}\n')
    (tmp_path / "text.yaml").write_text(TEXT)
    (tmp_path / "letters.yaml").write_text(LETTERS)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "sets", "verifier", "quorum"),
    [
        ("letters", (), "solver", 2),
        ("letters", ("committee.verifier=none",), "none", 2),
        ("text", (), "truth", 2),
        ("text", ("pool.fields.answer=null",), "none", 2),
        ("text", ("teachers=[{name: ann, model: /m/a}]",), "truth", 1),
        ("text", ("teachers=[{name: ann, model: /m/a}]", "committee.voters=samples"), "truth", 2),
        ("text", ("committee.voters=samples", "committee.quorum=8"), "truth", 8),
    ],
)
def test_what_follows_from_what_there_is(
    folder: Path, name: str, sets: tuple[str, ...], verifier: str, quorum: int
) -> None:
    recipe = load_recipe(folder / f"{name}.yaml", sets=sets)
    assert (recipe.verifier, recipe.quorum) == (verifier, quorum)


BAD = {
    "votes of nobody": ("text", ("committee.quorum=3",), "committee.quorum: 3 is more than the 2 teachers"),
    "votes of no sample": (
        "text", ("committee.voters=samples", "committee.quorum=9"), "quorum: 9 is more than the 8 voters",
    ),
    "a tolerance of nothing": (
        "text", ("committee.tolerance=0.1",), "committee.tolerance: only numbers that are averaged",
    ),
    "letters have no mean": (
        "letters", ("committee.strategy=numeric_average",), "committee.strategy: only numbers can be averaged",
    ),
    "a fallback of a majority": ("text", ("committee.fallback=none",), "committee.fallback: only unanimous"),
    "samples are no teachers": (
        "text", ("committee.strategy=reliability", "committee.voters=samples"), "committee.voters: a teacher's samples",
    ),
    "consensus of one": ("letters", ("committee.consensus=0.6",), "committee.consensus: one sample always agrees"),
    "all as confident": (
        "letters", ("committee.strategy=max_confidence",), "committee.strategy: a single sample is as confident",
    ),
    "no logprobs": (
        "letters", ("committee.confidence=logprobs", "serve.engine=transformers"), "confidence: the embedded engine",
    ),
    "nobody asks for it": ("letters", ("committee.confidence=stated",), "answers.prompt: the prompt does not ask"),
    "nobody looks": ("text", ("committee.reject_below=0.3",), "committee.reject_below: nothing goes to a person"),
    "no school": ("text", ("committee.verifier=solver",), "committee.verifier: the solver reads the school's own"),
    "no truth": (
        "text", ("committee.verifier=truth", "pool.fields.answer=null"), "committee.verifier: no answers are known",
    ),
    "right by construction": (
        "text", ("gates=[{name: g, metric: committee_gain, at_least: 0}]",), "gates.0.metric: gate g: by the file",
    ),
    "nothing to vote on": (
        "text", ("answers.value=none", "committee.quorum=1"), "committee: no value is read out of the solutions",
    ),
}  # fmt: skip


def test_other_confidence_needs_no_second_sample(folder: Path) -> None:
    sets = ("committee.strategy=max_confidence", "committee.confidence=logprobs")
    assert load_recipe(folder / "letters.yaml", sets=sets).committee.confidence == "logprobs"


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_when_the_recipe_loads(folder: Path, name: str) -> None:
    recipe, sets, message = BAD[name]
    with pytest.raises(RecipeError) as caught:
        load_recipe(folder / f"{recipe}.yaml", sets=sets)
    assert message in str(caught.value)
