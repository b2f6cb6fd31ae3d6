"""From a recipe and what its night came to, to a paragraph of methods; every number in it is one of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from nightschool.recipe.models import Model
from nightschool.recipe.phases import Asking
from nightschool.recipe.recipe import Recipe
from nightschool.report.figures import Report
from nightschool.report.proof import SIGNIFICANT
from nightschool.report.proven import VOTES, proven
from nightschool.report.text import percent, plain, visible
from nightschool.report.trained import trained
from nightschool.statistics import CONFIDENCE

_OUTRANKED = {
    "solver": " An exact solver outranked the votes.", "truth": " The file's own answers outranked the votes.",
    "none": " Nothing outranked the votes.",
}  # fmt: skip
_METHODS = {"downsample": "cut", "upsample": "repeated", "weights": "weighted in the loss"}


def methods(recipe: Recipe, report: Report) -> str:
    """What was done, as far as the night has come: data, committee, choice of rows, stages, measurement, versions.

    Names and texts of people and models are made visible; what was not reached or measured is not told of.
    """
    parts = [*_data(recipe, report), *_ruled(recipe, report), *_chosen(recipe, report), *trained(recipe, report),
             *_measured(recipe, report), *proven(recipe, report), *_made(report)]  # fmt: skip
    return visible(" ".join(" ".join(part.split()) for part in parts))


def _data(recipe: Recipe, report: Report) -> Iterator[str]:
    rows, pool = _rows(report), recipe.pool
    if pool.file is not None:
        names = ", ".join(PurePath(path).name for path in pool.file.paths)
        limit = f", at most {pool.limit:,} of them" if pool.limit else ""
        yield f"Questions came from {names} ({pool.file.rows:,} rows, SHA-256 {pool.file.sha256}){limit}."
    elif recipe.questions and "written" in rows:
        section, topics = recipe.questions, ", ".join(map(plain, recipe.topics))
        yield (
            f"{_teachers(recipe)} wrote {section.per_topic:,} questions each on each topic ({topics}), "
            f"{_drawn(section)}; of {rows['written']:,} written {rows['valid']:,} could be read and checked."
        )
    if pool.top_up == "generator" and "asked" in rows:
        yield f"A generator with an exact solver topped them up to {pool.per_topic:,} per topic."
    if report.answered:
        who = "They" if recipe.questions else _teachers(recipe)
        form = "a letter in JSON, with the way to it" if recipe.answers.reply == "letter" else "free text"
        value = f", of which {_kind(recipe)} was read" if recipe.answers.value != "none" else ""
        times = f"{recipe.answers.samples} times" if recipe.answers.samples > 1 else "once"
        asked = f"{rows['asked']:,} questions" if "asked" in rows else "the questions"
        yield f"{who} answered {asked} {times} each by {form}{value}, {_drawn(recipe.answers)}."


def _ruled(recipe: Recipe, report: Report) -> Iterator[str]:
    rows, section = _rows(report), recipe.committee
    if "agreed" not in rows:
        return
    voters = "its answer" if section.voters == "teachers" else "each of its samples"
    terms = [f"a quorum of {recipe.quorum}", f"at least {percent(section.min_agreement, 0)} of the votes"]
    if section.min_confidence:
        terms.append(f"a confidence of at least {section.min_confidence:g}")
    if section.consensus:
        terms.append(f"at least {percent(section.consensus, 0)} of a teacher's own samples behind its vote")
    yield (
        f"A committee, in which every teacher has a vote for {voters}, ruled {VOTES[section.strategy]}, with "
        f"{' and '.join(terms)}; ties were {'left open' if section.ties == 'none' else 'broken'}."
        f"{_OUTRANKED[recipe.verifier]} {rows['agreed']:,} rows were accepted."
    )
    if report.people and (decided := sum(report.people.actions.values())):
        yield f"People decided {decided:,} rows that the committee had left to them."


def _chosen(recipe: Recipe, report: Report) -> Iterator[str]:
    rows = _rows(report)
    if recipe.filters and (named := [name for name in recipe.filters.named if name in rows]):
        yield f"Filters were {', '.join(f'{plain(name)} ({rows[name]:,} rows left)' for name in named)}."
    if recipe.splits and "to train on" in rows:
        splits = recipe.splits
        leaks = {"drop": "were dropped", "report": "were counted", "refuse": "would have ended the night"}[splits.leaks]
        yield (
            f"{percent(splits.validation, 0)} of the questions were held out for validation and "
            f"{percent(splits.test, 0)} for the test, by a hash of their normalised text; rows to train on nearly the "
            f"same as one of these (at least {percent(splits.threshold, 0)} of their runs of words) {leaks}."
        )
    if (balance := recipe.balance) and balance.method != "none" and "balanced" in rows:
        shares = "the shares wanted" if balance.target else "equal shares"
        yield (
            f"Rows were {_METHODS[balance.method]} to {shares} of {' and '.join(map(plain, balance.by))}"
            f"{', choices put in another order' if balance.shuffle_letters else ''}; {rows['balanced']:,} were left."
        )


def _measured(recipe: Recipe, report: Report) -> Iterator[str]:
    if not report.stages or not recipe.learner:
        return
    student, section = recipe.learner.student, recipe.learner.validate
    seeds = ", ".join(map(str, section.seeds))
    answers = report.stages[-1].accuracy.n
    where = "of the school that no row may hold" if section.per_topic else f"of the file's {section.side} side"
    yield (
        f"Every stage answered held-out questions {where}, {answers:,} answers under the sampling seed"
        f"{'s' if len(section.seeds) > 1 else ''} {seeds} (temperature {student.temperature:g}, top-p "
        f"{student.top_p:g}, at most {student.max_tokens:,} tokens); one that could not be read counted as not right."
    )
    yield (
        f"Shares have Wilson's {percent(CONFIDENCE, 0)} interval at the effective sample size over questions; "
        "differences are paired by question and seed, with Agresti and Min's interval over questions and McNemar's "
        "exact test, with several seeds its extension by sign flips over questions. A difference counts as "
        f"significant where p is below {SIGNIFICANT:g} and the interval leaves out zero."
    )


def _made(report: Report) -> Iterator[str]:
    night = report.night
    engine = f" Models were served by {night.engine}." if night.engine else ""
    used = ", ".join(f"{name} {version}" for name, version in night.versions.items())
    yield f"All dice are drawn from seed {night.seed}.{engine} Versions: {used}."


def _rows(report: Report) -> dict[str, int]:
    return {step.step: step.total for step in report.funnel}


def _teachers(recipe: Recipe) -> str:
    named = [f"{teacher.name} ({_model(teacher)})" for teacher in recipe.teachers]
    return f"{len(named)} teacher{'' if len(named) == 1 else 's'}, {', '.join(named)},"


def _model(model: Model) -> str:
    # Where a model lies on this machine is nobody's method.
    return PurePath(model.model).name if model.model.startswith(("/", "./", "../", "~")) else model.model


def _drawn(section: Asking) -> str:
    return f"at temperature {section.temperature:g}, top-p {section.top_p:g}, in at most {section.max_tokens:,} tokens"


def _kind(recipe: Recipe) -> str:
    return {"letter": "a letter", "yes_no": "yes or no", "integer": "a whole number", "number": "a number",
            "latex": "an expression"}.get(recipe.answers.value, "a short text")  # fmt: skip
