"""From a night's chunks and this run's ledger to the report: figures gathered here, judged and drawn by the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from blocks.disk import write_whole, writing
from nightschool.chunks import Manifest
from nightschool.errors import NightError
from nightschool.recipe.choosing import closed
from nightschool.records import Answer, Question, Ruling
from nightschool.report.asked import SolverCounts, Source
from nightschool.report.figures import Answered, Memory, Phase, Report, Requests
from nightschool.report.guessing import baselines, by_topic, said
from nightschool.report.methods import methods
from nightschool.report.sample_rows import Sample
from nightschool.report.samples import draw, sample
from nightschool.report.verdict import conclude
from tasks import (
    answers,
    balance,
    branches,
    crew,
    critique,
    holding,
    late,
    measured,
    parts,
    pool,
    predicted,
    review,
    timing,
)
from tasks.about import about
from tasks.breakage import failures
from tasks.funnel import marks
from tasks.given_up import given_up
from tasks.ledger import Run
from tasks.lessons import learned
from tasks.night import Night
from tasks.packing import pack
from tasks.reports import report_of
from tasks.spending import spent
from tasks.spot_check import spot_check
from tasks.steps import STEPS

T = TypeVar("T")


def report(night: Night, run: Run) -> Report:
    """The whole night as figures, with its gates judged; a phase that was not reached leaves its part empty."""
    rulings, rows = parts.rulings(night), measured.answers(night)
    seen, few = [row for one in rows.values() for row in one], closed(night.recipe.answers)
    alone = timing.one_by_one(night)
    found = Report(
        night=about(night, run),
        baselines=baselines(seen, closed=few),
        said=said(rows, closed=few),
        topic_baselines=by_topic(seen, closed=few),
        stages=measured.figures(night, rows, alone),
        skipped=branches.skipped(night),
        given_up=given_up(night.dir).line,
        halted=holding.stopped(night),
        **(learned(night) | late.drafted(night) | parts.ruled(night, rulings) | parts.rows(night)),
        **(parts.taught(night, rows) | late.times(night, alone) | late.played(night) | _decided(night)),
        ensemble=predicted.found(night),
        answered=_answered(night),
        question_sources=_sources(night),
        solver=_solver(night),
        phases=tuple(Phase(**phase.model_dump(exclude={"stopped", "times", "lead_s"})) for phase in run.phases),
        requests=_requests(night),
        memory=_memory(run),
        samples=_samples(night, rulings),
        failures=failures(night, run),
        remade=tuple(run.remade),
        accepted=run.accepted,
        restarts=tuple(each.line for each in run.restarts),
    )
    told = methods(night.recipe, found)
    return conclude(found.model_copy(update={"methods": told}), night.recipe.gates, night.recipe)


def _decided(night: Night) -> dict[str, Any]:
    """What people made of the answers, and what is judged by the truth."""
    return {
        "people": review.people(night),
        "spot_check": spot_check(night),
        "marks": marks(night),
        "critiques": critique.measured(night),
    }


def publish(night: Night, run: Run) -> Report:
    """Writes report.json and report.html into the night's folder."""
    return _written(night, pack(night, report(night, run)) if run.stopped_by is None else report(night, run))


def publish_ensemble(night: Night, run: Run) -> Report:
    """The same behind an ensemble's run: into the report that the night has, or one of its own where it has none."""
    try:
        before = report_of(night)
    except NightError:
        # Nothing but the ensemble ran, so gates about the rest say nothing.
        alone = report(night, run)
        again = alone.night.command.replace("nightschool run", "nightschool predict", 1)
        named = alone.model_copy(update={"night": alone.night.model_copy(update={"command": again})})
        return _written(night, conclude(named, (), night.recipe))
    found = before.model_copy(update={"ensemble": predicted.found(night)})
    told = found.model_copy(update={"methods": methods(night.recipe, found)})
    return _written(night, conclude(told, night.recipe.gates, night.recipe))


def _written(night: Night, found: Report) -> Report:
    # matplotlib takes two seconds to import, and only this function draws.
    from nightschool.report.page import render

    with writing(night.dir):
        write_whole(night.dir / "report.json", found.model_dump_json(indent=1).encode())
        write_whole(night.dir / "report.html", render(found).encode())
    files = [night.dir / name for name in ("run.json", "report.json", "report.html")]
    night.store.mirror(*(file for file in files if file.is_file()))
    return found


def _answered(night: Night) -> tuple[Answered, ...]:
    by: dict[str, list[Manifest]] = defaultdict(list)
    for chunk, manifest in night.made(answers.chunks(night)):
        by[chunk.part].append(manifest)
    costs = ("requests", "retries", "tokens_in", "tokens_out")
    return tuple(
        Answered(
            teacher=name,
            rows=sum(manifest.rows for manifest in made),
            dropped=dict(sum((Counter(manifest.dropped) for manifest in made), Counter[str]())),
            **{cost: _total(made, cost) for cost in costs},
        )
        for name, made in by.items()
    )


def _sources(night: Night) -> dict[str, Source]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for question in night.rows(pool.chunks(night), Question) if night.recipe.pool.file is None else ():
        counts[question.topic]["generator" if question.source == "generator" else "teacher"] += question.check == "ok"
    return {topic: Source(**found) for topic, found in sorted(counts.items())}


def _solver(night: Night) -> dict[str, SolverCounts]:
    manifests = [manifest for _, manifest in night.made(pool.chunks(night))]
    checks: dict[str, dict[str, int]] = manifests[0].figures.get("checks", {}) if manifests else {}
    return {teacher: SolverCounts(**counts) for teacher, counts in sorted(checks.items())}


def _requests(night: Night) -> Requests:
    """Sent in this run, by the client's own count; what chunks on file have beyond that was paid for before."""
    manifests = [manifest for step in STEPS.values() for _, manifest in night.made(step.chunks(night))]
    now = crew.stats()
    reused = _total(manifests, "requests") - (now.replies + now.failures)
    return Requests(
        sent=now.sent,
        reused=max(0, reused),
        retried=now.retries,
        failed=now.failures,
        tokens_in=_total(manifests, "tokens_in"),
        tokens_out=_total(manifests, "tokens_out"),
        spent=spent(night),
    )


def _total(manifests: Sequence[Manifest], figure: str) -> int:
    return sum(int(manifest.figures.get(figure, 0)) for manifest in manifests)


def _memory(run: Run) -> Memory | None:
    if not run.memory:
        return None
    devices = [{"name": name, **_bytes(found)} for name, found in sorted(run.devices.items())]
    return Memory.model_validate({**_bytes(run.memory), "devices": devices})


def _bytes(found: Mapping[str, int]) -> dict[str, int]:
    return {f"{moment}_bytes": count for moment, count in found.items()}


def _samples(night: Night, rulings: Sequence[Ruling]) -> tuple[Sample, ...]:
    """Ten rows to read, the same ones in every run; before the balance was made, accepted is as good as kept."""
    said: dict[str, dict[str, Answer]] = defaultdict(dict)
    for answer in night.rows(answers.chunks(night), Answer) if rulings else ():
        said[answer.id][answer.teacher] = answer
    kept = {ruling.id for ruling in night.rows(balance.chunks(night), Ruling)}
    return tuple(
        sample(ruling, said[ruling.id], balanced=not kept or ruling.id in kept)
        for ruling in draw(rulings, seed=night.recipe.seed)
    )
