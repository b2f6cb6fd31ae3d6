"""A night of yes or no, made as far as its taught rows, whose teacher says no more often than is true."""

from __future__ import annotations

from pathlib import Path

import orjson

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.recipe.data_file import Source
from nightschool.recipe.load import load_recipe
from nightschool.wire import Endpoint
from tasks.night import Night
from tests.file_night import make

_HEAD = """
name: verdicts
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
student: {{name: pupil, model: tiny, prompt: p.txt, temperature: 0}}
pool: {{file: q.jsonl, kind: strategyqa}}
answers: {{reply: text, value: yes_no, prompt: p.txt, chunk_rows: 40}}
committee: {{quorum: 1}}
splits: {{validation: 0.1, test: 0.3}}
"""


def verdicts(folder: Path, learning: str) -> Night:
    """Sixty questions, ruled on and split, and balanced where the recipe says so.

    Args:
        learning: the recipe's sections from the balance on.
    """
    rows = [
        {"qid": f"q{n}", "question": f"Is {n} more than {120 - n}?", "answer": n > 60, "facts": [f"It is {n}."]}
        for n in range(0, 120, 2)
    ]
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    (folder / "r.yaml").write_text(_HEAD.format(store=folder / "runs") + learning)
    night = Night.plan(load_recipe(folder / "r.yaml"))
    key = Source.model_validate({"file": night.recipe.pool.file, "kind": "strategyqa"})
    models = {"ann": ScriptedModel(accuracy={"yes": 0.4, "no": 1.0})}
    with scripted(Script(behaviour="verdict", reasons="facts", answers=key, models=models)) as url:
        served = {"ann": Endpoint(model="ann", urls=(url,))}
        make(night, served, "pool", "answers", "merge", "committee", "splits", "balance")
    return night
