"""Steps without an orchestrator: chunks made one by one, against real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from blocks.scripted.local import Script, scripted
from nightschool.wire import Endpoint
from tasks.chunk import make_chunk
from tasks.night import Night
from tasks.step import Served
from tasks.steps import STEPS

TEACHERS = ("alba", "bruno")


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


def sums(folder: Path, recipe: str) -> Path:
    """A recipe about forty sums with their answers, and the prompts that it names."""
    rows = [{"question": f"What is {n} + 1?", "gt": str(n + 1)} for n in range(40)]
    (folder / "q.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in rows))
    (folder / "p.txt").write_text("[user]\n$question\n")
    (folder / "c.txt").write_text("[user]\nJudge.\n$question\n$solution\n")
    (folder / "r.yaml").write_text(recipe.format(store=folder / "runs"))
    return folder / "r.yaml"
