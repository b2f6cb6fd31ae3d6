"""Steps without an orchestrator: chunks made one by one, against real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from blocks.scripted.local import Script, scripted
from nightschool.recipe.load import load_recipe
from nightschool.records import Question, Said, Solutions
from nightschool.wire import Endpoint
from tasks import pool
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.step import Made, Served
from tasks.steps import STEPS

TEACHERS = ("alba", "bruno")
_SUMS = """
name: sums
store: {store}
serve: {{engine: scripted}}
teachers: [{{name: ann, model: ann}}]
student: {{name: kim, model: unused, engine: transformers, prompt: p.txt}}
pool: {{file: q.jsonl, fields: {{question: question, answer: gt}}}}
answers: {{reply: text, value: integer, prompt: p.txt, samples: 2}}
splits: {{validation: 0.2, test: 0.2}}
critique: {{prompt: c.txt, per_question: 2}}
sft: {{learning_rate: 1e-3}}
validate: {{}}
"""


@contextmanager
def serving(*, attempts: int = 1, **script: object) -> Iterator[Served]:
    """Both teachers behind one scripted server."""
    with scripted(Script.model_validate({"models": {name: {} for name in TEACHERS}, **script})) as url:
        endpoint = Endpoint(model="alba", urls=(url,), attempts=attempts)
        yield {name: endpoint.model_copy(update={"model": name}) for name in TEACHERS}


def fill(night: Night, served: Served, *phases: str) -> None:
    """Makes what is missing of the phases (questions, pool, answers by default), as a run of the night would."""
    night.begin()
    for phase in phases or ("questions", "pool", "answers"):
        for chunk in STEPS[phase].chunks(night):
            make_chunk.fn(night.store.place, night.name, night.stamp, chunk, served)


def sums(folder: Path, *sets: str) -> Night:
    """A planned night about forty sums whose answers are known, solved in words and judged."""
    rows = [{"question": f"What is {n} + 1?", "gt": str(n + 1)} for n in range(40)]
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "c.txt").write_text("[user]\nJudge.\n$question\n$solution\n")
    (folder / "r.yaml").write_text(_SUMS.format(store=folder / "runs"))
    return Night.plan(load_recipe(folder / "r.yaml", sets=list(sets)))


def solve(night: Night, *phases: str) -> None:
    """Makes these phases of a night of sums without a server: each is solved once right and once wrong by seven."""
    for phase in phases:
        for chunk in STEPS[phase].chunks(night):
            made = STEPS[phase].make(night, chunk, {}) if phase != "answers" else Made(_solutions(night))
            night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)


def _solutions(night: Night) -> list[Solutions]:
    def said(question: Question) -> tuple[Said, ...]:
        right = int(question.answer or 0)
        return tuple(Said(text=f"The answer is \\boxed{{{right + off}}}", finish="stop") for off in (0, 7))

    return [Solutions(id=one.id, teacher="ann", said=said(one)) for one in night.rows(pool.chunks(night), Question)]
