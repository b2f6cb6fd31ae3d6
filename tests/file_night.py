"""A night on a file of questions with two to five choices, made as far as its committee; and its pairs."""

from __future__ import annotations

from pathlib import Path

import orjson

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.recipe.load import load_recipe
from nightschool.records import LETTERS, PreferenceRow
from nightschool.wire import Endpoint, Message
from tasks.night import Night
from tasks.step import Served
from tasks.steps import STEPS

RECIPE = """
name: choosing
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
student: {{name: kim, model: unused, engine: transformers, prompt: p.txt}}
pool: {{file: q.jsonl, fields: {{choices: options, letter: right, topic: about, level: level, id: key}}}}
answers: {{prompt: p.txt, samples: 2, chunk_rows: 8}}
sft: {{learning_rate: 1.0e-3}}
pairs: {{}}
dpo: {{learning_rate: 1.0e-4}}
validate: {{per_topic: 2}}
"""


def write(folder: Path, rows: int = 24) -> Path:
    """The recipe beside its file; the third question begins with a sign that a spreadsheet takes for a formula."""
    (folder / "p.txt").write_text("[system]\nChoose.\n[user]\n$question\n$choices\n", encoding="utf-8")
    records = [
        {"key": f"{'=' if n == 2 else ''}k{n}", "question": f"Which is number {n}?", "about": ("one", "two")[n % 2],
         "options": [f"thing {n}-{place}" for place in range(2 + n % 4)], "right": LETTERS[n % 2],
         "level": ("Level 1", 2.0, None)[n % 3]}
        for n in range(rows)
    ]  # fmt: skip
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    (folder / "r.yaml").write_text(RECIPE.format(store=folder / "runs"), encoding="utf-8")
    return folder / "r.yaml"


def make(night: Night, served: Served, *phases: str) -> None:
    """Makes the chunks of these phases that are missing."""
    for phase in phases:
        for chunk in STEPS[phase].chunks(night):
            if not night.store.manifest(chunk):
                made = STEPS[phase].make(night, chunk, served)
                night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures, files=made.files)


def ruled(recipe: Path, *sets: str) -> Night:
    """The night as far as its committee, which knows the file's answers."""
    night = Night.plan(load_recipe(recipe, sets=sets))
    night.begin()
    models = {name: ScriptedModel(accuracy=0.9) for name in ("ann", "ben")}
    with scripted(Script(models=models, answers=night.recipe.pool)) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in models}
        make(night, served, "pool", "answers", "committee")
    return night


def paired(night: Night, rows: int = 3) -> None:
    """Pairs on file, as the student's samples would have made them."""
    said = [(Message(role="assistant", content=text),) for text in ("right", "wrong")]
    asked = (Message(role="user", content="Which?"),)
    pairs = [PreferenceRow(id=f"p{n}", prompt=asked, chosen=said[0], rejected=said[1]) for n in range(rows)]
    for chunk in STEPS["pairs"].chunks(night):
        night.store.commit(chunk, rows=pairs, dropped=(), figures={})


TEXT = """
name: solving
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}, {{name: ben, model: ben}}]
pool: {{kind: math, file: q.jsonl}}
answers: {{reply: text, value: latex, prompt: p.txt, samples: 2, chunk_rows: 8}}
"""


def write_solutions(folder: Path, rows: int = 12) -> Path:
    """The recipe of a night of free solutions, beside its file."""
    (folder / "p.txt").write_text("[user]\nSolve: $question\n", encoding="utf-8")
    records = [{"problem": f"What is {n} + 1?", "solution": f"It is $\\boxed{{{n + 1}}}$."} for n in range(rows)]
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    (folder / "r.yaml").write_text(TEXT.format(store=folder / "runs"), encoding="utf-8")
    return folder / "r.yaml"


def solved(recipe: Path) -> Night:
    """The night as far as its committee."""
    night = Night.plan(load_recipe(recipe))
    night.begin()
    models = {name: ScriptedModel(accuracy=0.9) for name in ("ann", "ben")}
    with scripted(Script(behaviour="maths", models=models, answers=night.recipe.pool)) as url:
        served = {name: Endpoint(model=name, urls=(url,)) for name in models}
        make(night, served, "pool", "answers", "merge", "committee")
    return night
