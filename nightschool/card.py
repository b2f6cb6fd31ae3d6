"""From a night to a model card: what the student learned from, how, what it can do, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

import yaml

from nightschool.card_figures import figures, labels, rest, same_choice, table
from nightschool.licences import licence_of, warnings
from nightschool.package import base_name
from nightschool.recipe.package import Form
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import BASE, Learner, Stage
from nightschool.registry import registry
from nightschool.report.estimates import counted
from nightschool.report.figures import Report
from nightschool.report.text import plain, visible
from nightschool.training.merge_job import Merged

_SPDX = {"Apache-2.0": "apache-2.0", "MIT": "mit", "Gemma terms": "gemma", "Llama 4": "llama4"}

_FEW = 1_000


@dataclass(frozen=True, slots=True)
class Contents:
    """What of a stage is packed: its forms, how merged and quantised were checked, and the rows each stage learned."""

    stage: str
    forms: tuple[Form, ...]
    merged: Merged | None
    learned: Mapping[str, int]


def card(recipe: Recipe, report: Report, contents: Contents) -> str:
    """README.md of a package, as the hub shows it.

    Texts of people and models are made visible, and stand where Markdown can't take them for more.
    """
    learner = recipe.learner
    assert learner is not None, "only a night with a student packs one"
    parts = [
        _front(recipe, learner, contents),
        f"# {report.night.name}, stage {contents.stage}\n\n{visible(report.night.description)}",
        "\n".join(_head(report)),
        f"## How to ask it\n\n{_usage(learner, contents)}",
        f"## What it can do\n\n{figures(report, contents.stage)}",
        f"## What it learned from\n\n{_data(recipe, report)}",
        f"## How it was trained\n\n{_training(learner, report, contents)}",
        f"## Licences\n\n{_licences(recipe, learner)}",
        f"## Limits\n\n{_limits(recipe, report, contents)}",
        f"## Files\n\n{_files(contents)}",
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _front(recipe: Recipe, learner: Learner, contents: Contents) -> str:
    known = registry().find(learner.student.model)
    found: dict[str, object] = {"license": _SPDX.get(known.licence, "other") if known else "other"}
    if "/" in (base := base_name(learner.student.model)):
        found["base_model"] = base
    kinds = {stage.kind for stage in _chain(learner, contents.stage)}
    found |= {"library_name": "peft" if contents.forms == ("adapter",) else "transformers"}
    found |= {"tags": ["nightschool", "text-generation", *sorted(kinds)]}
    return f"---\n{yaml.safe_dump(found, sort_keys=False).strip()}\n---"


def _head(report: Report) -> Iterator[str]:
    yield f"{visible(report.night.verdict)}."
    failed = [gate.name for gate in report.gates if gate.fails]
    if failed:
        yield f"\n> **Not proven.** {len(failed)} of {len(report.gates)} gates did not hold: {', '.join(failed)}."


def _usage(learner: Learner, contents: Contents) -> str:
    prompt, student = learner.prompt(contents.stage), learner.student
    turns = {"system": prompt.system, "user": prompt.user}
    asked = "\n\n".join(f"{who}:\n\n{_fenced(text)}" for who, text in turns.items() if text)
    served = {"adapter": f"an adapter of `{base_name(student.model)}` for PEFT, or `--lora-modules` of vLLM",
              "merged": "a model of its own for transformers or vLLM",
              "quantised": "the same in fewer bits, for vLLM on a GPU"}  # fmt: skip
    forms = "\n".join(f"- `{form}/`: {served[form]}" for form in contents.forms)
    how = f"temperature {student.temperature:g}, at most {student.max_tokens} tokens"
    return f"{forms}\n\nIt was trained and measured with these words and no others ({how}):\n\n{asked}"


def _data(recipe: Recipe, report: Report) -> str:
    origin = "Questions that teachers wrote."
    if recipe.pool.file:
        origin = f"Questions from {_files_of(recipe)}."
    elif recipe.pool.top_up == "generator":
        origin = "Questions that teachers wrote and, where they were too few, a generator with an exact solver."
    steps = table(("step", "rows", "left out"), [
        (plain(step.step), f"{step.total:,}",
         ", ".join(f"{plain(reason)} {count:,}" for reason, count in step.dropped.items()))
        for step in report.funnel
    ])  # fmt: skip
    teachers = ", ".join(f"{teacher.name} (`{base_name(teacher.model)}`)" for teacher in recipe.teachers)
    ruled = f"Teachers: {teachers}. What they agree on was taught"
    ruled += {"none": ".", "solver": ", and what the exact solver confirms.", "truth": ", where the file agrees."}.get(
        recipe.verifier, "."
    )
    share = f" {labels(report.committee)}" if report.committee else ""
    warned = [f"Shares of {plain(each.field)}: {each.warning}." for each in report.shares if each.warning]
    return "\n\n".join([origin, steps, ruled + share, *warned])


def _files_of(recipe: Recipe) -> str:
    paths = recipe.pool.file.paths if recipe.pool.file else ()
    return visible(", ".join(PurePath(path).name for path in paths))


def _training(learner: Learner, report: Report, contents: Contents) -> str:
    chain = _chain(learner, contents.stage)
    rows = [_trained(stage, contents.learned.get(stage.name)) for stage in chain]
    head = ("stage", "from", "rows", "weights", "epochs", "learning rate", "rows a step", "loss")
    settings = {stage.name: stage.section.identity() for stage in chain}
    for section in settings.values():
        section.pop("prompt", None)
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    left = [f"{name}: {one.told}." for name, one in report.evaluated.items() if name in settings]
    told = "\n\n".join([table(head, rows), *left])
    return f"{told}\n\n<details><summary>All settings</summary>\n\n{_fenced(text)}\n\n</details>"


def _trained(stage: Stage, rows: int | None) -> tuple[str, ...]:
    section, lora = stage.section, stage.lora
    weights = f"LoRA, rank {lora.r}, alpha {lora.alpha}" if lora else "all"
    loss = "cross-entropy on the reply" if stage.kind == "sft" else f"DPO against {stage.reference}"
    batch = f"{section.batch_size * section.accumulation:,}"
    counted = "" if rows is None else f"{rows:,}"
    return (stage.name, stage.start, counted, weights, f"{section.epochs:g}", f"{section.learning_rate:g}", batch, loss)


def _chain(learner: Learner, name: str) -> list[Stage]:
    """The stages that a stage stands on, the first one first."""
    found: list[Stage] = []
    while name != BASE:
        found.insert(0, learner.stage(name))
        name = found[0].start
    return found


def _licences(recipe: Recipe, learner: Learner) -> str:
    models = (learner.student, *recipe.teachers)
    rows = [(model.name, f"`{visible(base_name(model.model))}`", *licence_of(model)) for model in models]
    told = warnings(recipe)
    if recipe.pool.file:
        told.append(
            f"The questions are from {_files_of(recipe)}, under the licence of who made them. It is not known here, "
            "so look whether it lets a model that learned from them be given away."
        )
    return "\n\n".join([*told, table(("", "model", "licence", "may teach other models"), rows)])


def _limits(recipe: Recipe, report: Report, contents: Contents) -> str:
    mine = next((one for one in report.stages if one.name == contents.stage), None)
    asked = f"questions of {_files_of(recipe)}" if recipe.pool.file else ", ".join(map(plain, recipe.topics))
    found = [f"Measured on {asked} alone, asked in the words above; anything else is untested."]
    if mine:
        found.append(f"{counted(rest(mine.accuracy))} of its answers there were wrong or could not be read.")
    if learner := recipe.learner:
        found.append(f"No more than {learner.student.max_tokens} tokens were ever asked of it at a time.")
    if report.committee and report.committee.accuracy < 1:
        found.append(f"{counted(rest(report.committee.labelled))} of the labels that it learned from are wrong.")
    found += [f"It learned from {step.total:,} rows alone." for step in report.funnel[-1:] if step.total < _FEW]
    found.append("Nobody looked at whether what it says is safe, fair or true outside of these questions.")
    return "\n".join(f"- {line}" for line in found)


def _files(contents: Contents) -> str:
    lines = ["`SHA256SUMS` has the digest of every file: `sha256sum -c SHA256SUMS`."]
    found = contents.merged
    if found:
        of = "" if found.changed is None else f" of the {found.changed:.1e} that the adapter changes"
        lines.append(f"Merged in {found.dtype}, read back from disk and held against base with adapter on "
                     f"{found.merged.positions:,} tokens: {found.merged.mean:.1e} nats lost{of}, the same "
                     f"first choice on {same_choice(found.merged)}.")  # fmt: skip
    if found and found.quantised:
        lines.append(f"Quantised ({found.method}) against merged: {found.quantised.mean:.1e} nats apart on average, "
                     f"the same first choice on {same_choice(found.quantised)}.")  # fmt: skip
    return "\n\n".join(lines)


def _fenced(text: str) -> str:
    """A text as it stands, whatever backticks it holds."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{visible(text).rstrip()}\n{fence}"
