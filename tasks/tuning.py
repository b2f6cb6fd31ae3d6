"""A tuning on disk: what is searched, its journal, and its results for people and for `--profile`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from blocks.disk import write_whole, writing
from blocks.places import open_store
from blocks.said import say
from nightschool.errors import RecipeError
from nightschool.recipe.load import find_recipe, load_recipe, tree_of
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.source import RecipeDumper
from nightschool.recipe.tune import Tune
from nightschool.report.trials import beside, scored
from nightschool.tune import ALWAYS, Trial, Tuned, best, corners, luck, overrides, profile, study_key
from nightschool.tune_file import load_tune
from tasks.recipes import read_recipe

_CONFIGS = Path(__file__).parents[1] / "configs"


@dataclass(frozen=True, slots=True)
class Tuning:
    """A search over a recipe; `profile` is "none" or as for a night, `sets` hold in every trial."""

    name: str
    recipe: Path
    profile: str
    sets: tuple[str, ...]
    how: Tune
    dir: Path
    journal: Path

    @classmethod
    def plan(cls, recipe: str, how: str, profile: str | None, sets: Sequence[str], name: str | None = None) -> Tuning:
        """The search that this would be; every end of every range has been tried on the recipe, and nothing written.

        Raises:
            RecipeError: there is no such recipe or search, or the recipe refuses a value or a rung.
        """
        base = read_recipe(recipe, profile=profile, sets=sets)
        found = _how(how, base)
        file = find_recipe(recipe)
        for values in corners(found):
            for rung in ({}, *found.rungs):
                load_recipe(file, profile=profile, sets=[*sets, *overrides(values), *overrides(rung), *ALWAYS], say=say)
        name = name or f"{base.name}-tune"
        folder = open_store(base.store).root / "tune" / name
        journal = folder / f"study-{study_key(base, found)}.journal"
        return cls(name, file, profile or "none", tuple(sets), found, folder, journal)

    @property
    def page(self) -> Path:
        return self.dir / "tune.html"

    def publish(self, trials: Sequence[Trial]) -> Tuned:
        """Writes tune.json, tune.html and, once a trial is complete, best.yaml into the tuning's folder."""
        from nightschool.report.tuning import render  # matplotlib takes two seconds to import

        top = best(trials, upwards=self.how.upwards)
        file = self.dir / "best.yaml"
        found = Tuned(
            name=self.name, recipe=str(self.recipe), metric=self.how.metric, stage=self.how.stage,
            upwards=self.how.upwards, wanted=self.how.count, trials=tuple(trials), best=top and top.number,
            sets=tuple(overrides(top.values)) if top else (), profile=str(file) if top else "",
        )  # fmt: skip
        with writing(self.dir):
            if top:
                write_whole(file, self._best(top).encode())
            write_whole(self.dir / "tune.json", found.model_dump_json(indent=1).encode())
            write_whole(self.page, render(found).encode())
        return found

    def _best(self, top: Trial) -> str:
        given = None if self.profile == "none" else self.profile
        tree = tree_of(self.recipe, profile=given, sets=[*self.sets, *overrides(top.values)])
        head = (
            f"# The best of {self.name}, trial {top.number}: {self.scored(top)}. nightschool run RECIPE --profile FILE"
        )
        return f"{head}\n" + yaml.dump(profile(tree, top.values), Dumper=RecipeDumper, sort_keys=False)

    def headline(self, found: Tuned) -> str:
        """The search in a line."""
        done = sum(trial.state != "running" for trial in found.trials)
        top = next((trial for trial in found.trials if trial.number == found.best), None)
        return f"{done} of {found.wanted} trials; " + (self._best_of(found, top) if top else "none complete yet")

    def _best_of(self, found: Tuned, top: Trial) -> str:
        looks, _ = luck(found.trials, top)
        return f"best of {looks} looks {self.told(top)}{beside(top.score)}"

    def told(self, trial: Trial) -> str:
        """A trial in a line: its values, and what came of it."""
        ended = {"running": "", "complete": f": {self.scored(trial)}"}
        return self.values(trial) + ended.get(trial.state, f": {trial.state}, {trial.why}")

    def scored(self, trial: Trial) -> str:
        """A trial's score in the unit of its metric, with its interval and n."""
        return scored(self.how.metric, trial.score, "-")

    def values(self, trial: Trial) -> str:
        """A trial's values, short."""
        return ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in trial.values.items()
        )


def _how(name: str, base: Recipe) -> Tune:
    if not name:
        if base.tune is None:
            raise RecipeError("nothing says what is to be tuned: the recipe has no tune section", field="--tune",
                              allowed=", ".join(_known()) or "a file")  # fmt: skip
        return base.tune
    if Path(name).is_file():
        return load_tune(Path(name))
    if name not in _known():
        raise RecipeError(
            "there is no such search", field="--tune", value=name, allowed=", ".join(_known()) or "a file"
        )
    return load_tune(_known()[name])


def _known() -> dict[str, Path]:
    folders = (_CONFIGS / "tune", Path("configs") / "tune")
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}
