"""What a contest of two agents takes: a folder and a zip of a night's students that run without nightschool."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson

from nightschool.contest_file import find_contest, load_contest
from nightschool.errors import RecipeError, WorldError
from nightschool.handin import agents
from nightschool.handin.agents import Agent
from nightschool.recipe.models import settings
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Lesson, Stage
from nightschool.recipe.timing import Terms
from nightschool.report.proof import GateResult
from nightschool.wire import Sampling
from tasks import branches, stages
from tasks.export_folder import digests, new_folder
from tasks.given import Given, HandedIn
from tasks.night import Night
from tasks.packing import zipped
from tasks.reports import report_of

_CONTEST = "aaipl"
_TEMPLATES = Path(agents.__file__).parent / "aaipl"
_DRAFT = "its answers are made from a draft by another stage, which nobody makes at the contest"


def hand_in(night: Night, to: Path | None = None, *, force: bool = False) -> HandedIn:
    """Writes the submission of the contest of plan 000 and its zip.

    Raises:
        RecipeError: no stage asks or answers as the contest has it, or the folder is there already.
        WorldError: a stage is not trained yet, or the folder cannot be written.

    Source: plan 000, phases 6 and 7.
    """
    asks, answers = _stage(night, "questions"), _stage(night, "answers")
    folder = (to or night.dir / "exports" / f"{night.name}-{_CONTEST}").absolute()
    with new_folder(folder, force=force) as half:
        found = _write(night, asks, answers, half)
    archive = folder.with_name(f"{folder.name}.zip")
    zipped(folder, archive)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return found.model_copy(update={"folder": str(folder), "zip": str(archive), "bytes": size})


def _stage(night: Night, lesson: Lesson) -> Stage:
    """The last stage that learned it."""
    recipe = night.recipe
    left_out = branches.skipped(night) if recipe.learner else {}
    able = [one for one in recipe.stages if lesson in one.teaches and not one.passing and one.name not in left_out]
    if not able:
        raise RecipeError(f"no stage of this night learned to write {lesson}", field="--format", value=_CONTEST,
                          allowed=f"a night with a stage that `teaches: {lesson}`")  # fmt: skip
    stage = able[-1]
    if lesson == "answers" and (recipe.answers.reply != "letter" or stage.draft_of):
        raise RecipeError(_DRAFT if stage.draft_of else "the contest wants letters, and this night answers in words",
                          field="--format", value=_CONTEST, allowed="a night of letters, without drafts")  # fmt: skip
    if not night.made([stages.training(night, stage.name)]):
        raise WorldError(f"{stage.name} of night {night.name} is not trained yet: "
                         f"nightschool status {night.name}{night.where}")  # fmt: skip
    return stage


def _write(night: Night, asks: Stage, answers: Stage, folder: Path) -> HandedIn:
    recipe, place = night.recipe, find_contest(_CONTEST)
    contest, student, asking = load_contest(place), stages.learner(night).student, night.recipe.questions
    assert asking is not None, "who learned to ask learned it from questions"
    answering = Sampling(temperature=student.temperature, top_p=student.top_p, max_tokens=student.max_tokens)
    given = Given(night, folder, "hf_models")
    asker = _agent(night, asks, "questions", asking.sampling, contest.timing["questions"], given)
    solver = _agent(night, answers, "answers", answering, contest.timing["answers"], given)
    shutil.copytree(_TEMPLATES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(place, folder / "contest.yaml")
    (folder / "qgen.yaml").write_text(agents.settings(asker, recipe.topics), encoding="utf-8")
    (folder / "agen.yaml").write_text(agents.settings(solver), encoding="utf-8")
    hints = orjson.dumps(agents.hints(recipe.topics, recipe.seed), option=orjson.OPT_INDENT_2)
    (folder / "hints.json").write_bytes(hints)
    both = {"questions": asker, "answers": solver}
    gates, verdict = _measured(night)
    (folder / "README.md").write_text(agents.readme(night.name, both, contest, gates, verdict), encoding="utf-8")
    named = {what: one.stage for what, one in both.items()}
    found = HandedIn(night=night.name, format=_CONTEST, models=named, files=digests(folder))
    text = found.model_dump_json(indent=1, exclude={"folder", "zip", "bytes"})
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return found


def _agent(night: Night, stage: Stage, lesson: Lesson, sampling: Sampling, terms: Terms, given: Given) -> Agent:
    found, recipe = given.student(stage.name), night.recipe
    return Agent(
        stage=stage.name, base=found.base, adapter=found.adapter, dtype=_dtype(recipe), prompt=stage.prompts[lesson],
        sampling=sampling, terms=terms, seed=recipe.seed,
    )  # fmt: skip


def _dtype(recipe: Recipe) -> str:
    """Of the weights as they were served."""
    assert recipe.student is not None, "only a night with a student hands one in"
    return str(settings(recipe.student, recipe.serve).get("dtype", "auto"))


def _measured(night: Night) -> tuple[tuple[GateResult, ...], str]:
    """Gates and verdict of the report, if there is one yet."""
    if not (night.dir / "report.json").is_file():
        return (), ""
    found = report_of(night)
    return found.gates, found.night.verdict
