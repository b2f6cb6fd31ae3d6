"""From a night to a model card: what the student learned from, how, what it can do, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import yaml

from nightschool.gates import limit_shown, shown
from nightschool.licences import licence_of, warnings
from nightschool.package import base_name
from nightschool.recipe.package import Form
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import BASE, Learner, Stage
from nightschool.registry import registry
from nightschool.report.figures import Report
from nightschool.report.stage import Stage as Measured
from nightschool.report.text import duration, percent, plain, points, visible
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
        f"## What it can do\n\n{_figures(report, contents.stage)}",
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


def _figures(report: Report, stage: str) -> str:
    head = _table(("", "accuracy (95% interval)", "answers", "gain over the one before", "valid"),
                  [_measured(one, stage) for one in report.stages])  # fmt: skip
    mine = next((one for one in report.stages if one.name == stage), None)
    topics = "" if mine is None else _table(
        ("topic", "accuracy (95% interval)"),
        [(plain(name), f"{percent(each.value)} ({percent(each.low)} to {percent(each.high)})")
         for name, each in mine.per_topic.items()],
    )  # fmt: skip
    times = f"{duration(mine.latency.mean_s)} an answer, one at a time." if mine and mine.latency else ""
    gates = _table(("gate", "value", "wanted", ""), [
        (gate.name, "not measured" if gate.value is None else shown(gate.metric, gate.value),
         f"{plain(gate.direction)} {limit_shown(gate.metric, gate.limit)} by {gate.by}",
         "held" if gate.passed else "**did not hold**" if gate.fails else "did not hold: a warning")
        for gate in report.gates
    ])  # fmt: skip
    missing = "" if mine else f"Stage {stage} was not measured: it does not answer questions."
    return "\n\n".join(filter(None, ["On questions that no model saw.", head, missing, topics, times, gates]))


def _measured(one: Measured, packed: str) -> tuple[str, ...]:
    gain = f"{points(one.gain.value)} ({points(one.gain.low)} to {points(one.gain.high)})" if one.gain else ""
    found = one.accuracy
    name = f"**{one.name}**" if one.name == packed else one.name
    accuracy = f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"
    return name, accuracy, f"{found.n:,}", gain, percent(one.valid_share)


def _data(recipe: Recipe, report: Report) -> str:
    origin = "Questions that teachers wrote."
    if recipe.pool.file:
        origin = f"Questions from {_files_of(recipe)}."
    elif recipe.pool.top_up == "generator":
        origin = "Questions that teachers wrote and, where they were too few, a generator with an exact solver."
    steps = _table(("step", "rows", "left out"), [
        (plain(step.step), f"{step.total:,}",
         ", ".join(f"{plain(reason)} {count:,}" for reason, count in step.dropped.items()))
        for step in report.funnel
    ])  # fmt: skip
    teachers = ", ".join(f"{teacher.name} (`{base_name(teacher.model)}`)" for teacher in recipe.teachers)
    ruled = f"Teachers: {teachers}. What they agree on was taught"
    ruled += {"none": ".", "solver": ", and what the exact solver confirms.", "truth": ", where the file agrees."}.get(
        recipe.verifier, "."
    )
    right = report.committee
    share = f" {percent(right.accuracy)} of {right.rows:,} accepted labels are right." if right else ""
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
    told = "\n\n".join([_table(head, rows), *left])
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
    return "\n\n".join([*warnings(recipe), _table(("", "model", "licence", "may teach other models"), rows)])


def _limits(recipe: Recipe, report: Report, contents: Contents) -> str:
    mine = next((one for one in report.stages if one.name == contents.stage), None)
    asked = f"questions of {_files_of(recipe)}" if recipe.pool.file else ", ".join(map(plain, recipe.topics))
    found = [f"Measured on {asked} alone, asked in the words above; anything else is untested."]
    if mine:
        found.append(f"{percent(1 - mine.accuracy.value)} of its answers there were wrong or could not be read.")
    if learner := recipe.learner:
        found.append(f"No more than {learner.student.max_tokens} tokens were ever asked of it at a time.")
    if report.committee and report.committee.accuracy < 1:
        found.append(f"{percent(1 - report.committee.accuracy)} of the labels that it learned from are wrong.")
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
                     f"first choice on {percent(found.merged.same_choice)}.")  # fmt: skip
    if found and found.quantised:
        lines.append(f"Quantised ({found.method}) against merged: {found.quantised.mean:.1e} nats apart on average, "
                     f"the same first choice on {percent(found.quantised.same_choice)}.")  # fmt: skip
    return "\n\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines)


def _cell(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("\n", " ")


def _fenced(text: str) -> str:
    """A text as it stands, whatever backticks it holds."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{visible(text).rstrip()}\n{fence}"
