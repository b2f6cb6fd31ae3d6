"""Two machines at one night: what one of them has paid for, the other reads."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from blocks import places
from blocks.client import client
from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.errors import RecipeError
from nightschool.records import Answer
from tasks import answers
from tasks.night import Night, opened
from tasks.rows import lines
from tasks.status import status
from tests.half_night import Make
from tests.tasks.conftest import TEACHERS, fill, serving

ROOT = Path(__file__).parents[2]
# A machine as Prefect's tasks are on it: one chunk after the other, in the order that it is told.
MACHINE = """
import sys
from pathlib import Path
from blocks.client import client
from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from blocks.store import ROWS
from nightschool.recipe.load import load_recipe
from nightschool.wire import Endpoint
from tasks.making import Job, make
from tasks.night import Night
from tasks.steps import STEPS

url, recipe, store, order = sys.argv[1:]
night = Night.plan(load_recipe(Path(recipe), sets=[f"store={store}", "answers.chunk_rows=4"]))
night.begin()
served = {name: Endpoint(model=name, urls=(url,)) for name in ("alba", "bruno")}
for phase in ("questions", "pool", "answers", "committee"):
    for chunk in STEPS[phase].chunks(night)[:: int(order)]:
        make(Job(night.store.place, night.name, night.stamp, chunk, served))
    for chunk, manifest in night.made(STEPS[phase].chunks(night)):
        content = [mark.content for name, mark in manifest.files.items() if name.endswith(ROWS)]
        print(phase, chunk.key, chunk.index, *content)
print(client().stats().replies)
"""


@pytest.fixture
def place() -> str:
    return f"memory://{uuid.uuid4().hex}"


def test_a_second_machine_goes_on_where_the_first_stopped(
    make: Make, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "WORK", tmp_path / "one")
    night = make(f"store={place}")
    with serving() as served:
        fill(night, served)
        asked = client().stats().sent
        monkeypatch.setattr(places, "WORK", tmp_path / "two")
        opened.cache_clear()
        fill(make(f"store={place}"), served)
    assert client().stats().sent == asked
    again = Night.open(place, night.name)
    assert again.store.root.is_relative_to(tmp_path / "two")
    assert again.keys == night.keys
    assert again.rows(answers.chunks(again), Answer) == night.rows(answers.chunks(night), Answer)
    assert len(list(lines(again, "answers", 0, dropped=False))) == answers.chunks(night)[0].rows
    found = next(one for one in status(again).phases if one.phase == "answers")
    assert {chunk.state for chunk in found.chunks} == {"made"}


def test_a_night_that_nobody_began_is_not_there(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "WORK", tmp_path)
    with pytest.raises(RecipeError, match="no such night in this store"):
        Night.open(place, "nobodys")


@pytest.mark.integration
def test_two_machines_at_once_on_one_bucket_pay_once_and_have_what_a_folder_has(
    make: Make, tmp_path: Path, s3: dict[str, str]
) -> None:
    make()
    bucket = f"s3://nights/{uuid.uuid4().hex}"
    with scripted(Script(models={name: ScriptedModel(accuracy=0.8) for name in TEACHERS})) as url:
        told = [
            start(tmp_path / name, url, tmp_path / "recipe.yaml", store, order)
            for name, store, order in (("alone", "runs", 1), ("one", bucket, 1), ("two", bucket, -1))
        ]
        alone, one, two = (machine.communicate(timeout=280)[0].splitlines() for machine in told)
    assert [machine.returncode for machine in told] == [0, 0, 0]
    assert len(alone) > 10
    assert one[:-1] == two[:-1] == alone[:-1], "the same chunks under the same keys, with the same rows"
    assert int(one[-1]) + int(two[-1]) == int(alone[-1]), "together they asked what one would have asked"
    assert min(int(one[-1]), int(two[-1])) > 0


def start(folder: Path, url: str, recipe: Path, store: str, order: int) -> subprocess.Popen[str]:
    folder.mkdir()
    command = [sys.executable, "-c", MACHINE, url, str(recipe), store, str(order)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True)
