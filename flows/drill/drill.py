"""From a recipe to what each scene cost: requests needed, sent and paid twice, rows lost and mixed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.drill.compare import lost, mixed, wrong
from flows.drill.place import Place, Rows, kill
from flows.drill.scenes import SCENES, Scene, with_faults
from nightschool.errors import NightError, WorldError
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.script import Latency, Script, ScriptedModel
from nightschool.recipe.small import drilled


@dataclass(frozen=True)
class Outcome:
    """What a scene cost, by the servers' own count; `verdict` is "clean" or all that was wrong.

    `needed`: requests that have a reply in the end. `sent`: those that the servers worked on. `lost`: rows that a
    night without trouble has. `mixed`: rows that were made under another prompt than the recipe's last one.
    """

    scene: str
    needed: int
    sent: int
    paid_twice: int
    lost: int
    mixed: int
    verdict: str
    seconds: float

    @property
    def clean(self) -> bool:
        return self.verdict == "clean"


@dataclass(frozen=True)
class Reference:
    """A night that nobody disturbs: its place, its rows, the requests it sent, and those before the answers."""

    place: Place
    rows: Rows
    asked: int
    before_answers: int

    def after(self, share: float) -> int:
        """Requests after which so large a share of the answers has been asked for."""
        return self.before_answers + round(share * (self.asked - self.before_answers))

    @property
    def slots(self) -> int:
        """Requests that can be in flight at once: what a kill may cost."""
        return (self.place.recipe.serve.concurrency or 0) * sum(bool(one.script) for one in self.place.recipe.teachers)


def drill(
    recipe: Recipe,
    folder: Path,
    *,
    scenes: Sequence[Scene] = SCENES,
    rows: int = 60,
    jobs: int = 2,
    on_outcome: Callable[[Outcome], None],
) -> list[Outcome]:
    """Every scene in a store of its own, a few at a time; outcomes in the order of the scenes.

    Args:
        rows: questions, about; each teacher is asked all of them.
        on_outcome: hears of each as it is known, the night that nobody disturbs first.
    """
    began = time.monotonic()
    known = reference(small(recipe, folder / "undisturbed", rows=rows))
    tally = _counted(known.place)
    seconds = time.monotonic() - began
    calm = Outcome("nobody disturbs it", known.asked, tally["sent"], tally["paid_twice"], 0, 0, "clean", seconds)
    on_outcome(calm)

    def play(number: int, scene: Scene) -> Outcome:
        outcome = play_scene(known, scene, folder / f"scene-{number:02}")
        on_outcome(outcome)
        return outcome

    with ThreadPoolExecutor(jobs) as pool:
        return [calm, *pool.map(play, range(1, len(scenes) + 1), scenes)]


def small(recipe: Recipe, folder: Path, *, rows: int, delay_s: float = 0.08, concurrency: int = 8) -> Place:
    """A place for a small night of the recipe, its teachers scripted, signing what they say, keeping count on file."""
    behaviour = "maths" if recipe.answers.reply == "text" else "school"
    latency = Latency(mean=delay_s, jitter=delay_s / 2)
    scripts = {
        teacher.name: Script(
            behaviour=behaviour,
            signed=True,
            models={teacher.name: ScriptedModel(accuracy=0.9, latency_s=latency)},
            tally=str(folder / f"{teacher.name}.tally"),
        )
        for teacher in recipe.teachers
    }
    store = str(folder / "runs")
    return Place(folder, drilled(recipe, store=store, rows=rows, scripts=scripts, concurrency=concurrency))


def reference(place: Place) -> Reference:
    """Run the place's night to its end.

    Raises:
        WorldError: even undisturbed, it does not come to a good end.
    """
    place.finish(place.start(), 0, 1)
    asked = place.asked()
    rows = place.rows()
    answers = sum(len(found) for name, found in rows.items() if name.startswith("answers/"))
    return Reference(place, rows, asked, asked - answers)


def play_scene(known: Reference, scene: Scene, folder: Path, *, at: float = 0.5) -> Outcome:
    """Do the harm, let the night go on until it ends by itself, and compare with the one that nobody disturbed.

    Args:
        at: the share of the answers that has been asked for when it is done.
    """
    began = time.monotonic()
    place = _moved(known.place, folder, whole=scene.start == "whole")
    faults: list[str] = []
    taken = old = 0
    process = None
    try:
        if scene.failing:
            place = replace(place, recipe=with_faults(place.recipe, scene.failing))
        if scene.start == "empty":
            process = place.start()
            if scene.harm is None:
                place.finish(process)
            else:
                place.until_asked(process, known.after(at))
        taken = scene.harm(place, process) if scene.harm else 0
        if scene.change:
            place = replace(place, recipe=scene.change(place.recipe))
            if place.recipe.answers != known.place.recipe.answers:
                old = _counted(place)["distinct"] - known.before_answers
        # Holes may stop a night; they are asked for again by name.
        place.finish(place.start(), 0, 1, *([WorldError.exit_code] if scene.failing else []))
        if scene.failing and lost(known.rows, place.rows()):
            again = ("rerun", place.recipe.name, "--store", place.recipe.store, "--failed")
            place.finish(place.start(*again), 0, 1)
        if scene.remade and not any(each.endswith("not what was written") for each in place.remade()):
            faults.append("the report does not say that a chunk was made anew")
    except NightError as err:
        faults.append(str(err))
    finally:
        if process is not None and process.poll() is None:
            kill(process)
    seconds = time.monotonic() - began
    return judge(known, scene, place, place.rows(), faults, taken=taken, old=old, seconds=seconds)


def judge(
    known: Reference,
    scene: Scene,
    place: Place,
    rows: Rows,
    faults: list[str],
    *,
    taken: int,
    old: int,
    seconds: float,
) -> Outcome:
    """What a scene cost, and whether that may be.

    Args:
        rows: what the night has in the end.
        faults: what went wrong on the way.
        taken: replies that the scene took away, which have to be paid for again.
        old: answers that were paid for under a prompt that was changed then.
    """
    counted, needed = _counted(place), known.asked + old
    gone, twice = lost(known.rows, rows), counted["paid_twice"]
    old_rows = mixed(place.recipe, rows)
    may = (known.slots if scene.harm and scene.start == "empty" and not scene.free else 0) + taken
    faults += [f"{gone} rows lost"] if gone else []
    faults += [f"{old_rows} rows under the old prompt"] if old_rows else []
    faults += [f"{twice} paid twice, {may} were in flight"] if twice > may else []
    faults += [f"{counted['distinct']} asked, {needed} needed"] if counted["distinct"] != needed and not gone else []
    faults += [f"{count} rows in another order, doubled or different" for count in [wrong(known.rows, rows)] if count]
    verdict = "; ".join(faults) or "clean"
    return Outcome(scene.name, needed, counted["sent"], twice, gone, old_rows, verdict, seconds)


def _moved(place: Place, folder: Path, *, whole: bool) -> Place:
    """The same night in another folder; Prefect's database comes along, for a new one takes seconds to make."""
    shutil.copytree(place.folder / "prefect", folder / "prefect")
    if whole:
        shutil.copytree(place.folder / "runs", folder / "runs")
        for file in place.folder.glob("*.tally"):
            shutil.copy(file, folder)
    text = place.recipe.model_dump_json(by_alias=True).replace(str(place.folder), str(folder))
    return replace(place, folder=folder, recipe=Recipe.model_validate_json(text))


def _counted(place: Place) -> Mapping[str, int]:
    """By the servers' own count: requests that they worked on, distinct ones among them, and those paid twice."""
    reports: list[dict[str, Any]] = [tally.report() for tally in place.tallies()]
    failed = sum(report["faults"].get("status_500", 0) for report in reports)
    total, paid, twice = (sum(report[name] for report in reports) for name in ("total", "paid", "paid_twice"))
    return {"sent": total - failed, "distinct": paid, "paid_twice": twice}
