"""What drafts are worth, as figures: how often they are right, and what a stage answers without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nightschool.drafts import draft_id
from nightschool.drafts import said as drafted
from nightschool.recipe.ablate import Variant
from nightschool.recipe.choosing import closed
from nightschool.records import Measured
from nightschool.report.ablated import Ablation, Drafts
from nightschool.report.attribution import measure_attribution
from nightschool.report.grid import estimate
from nightschool.report.measure import measure_ablation
from nightschool.report.proof import Estimate
from nightschool.training.attribute_job import Attributed
from nightschool.validate import truth_of
from tasks import ablate, attribute, balance, held_out, measured, stages
from tasks import drafts as drafting
from tasks.night import Night


def figures(night: Night) -> dict[str, Any]:
    """All that a report tells of it, by the report's own names."""
    if night.recipe.learner is None:
        return {}
    return {"drafts": drafts(night), "ablations": ablations(night)}


def ablations(night: Night) -> tuple[Ablation, ...]:
    """Every stage that was asked with other drafts, beside what it said with its own; as far as it was asked."""
    found: dict[str, dict[Variant, list[Measured]]] = {}
    for chunk, _ in night.made(ablate.chunks(night)):
        name, variant = ablate.parts(night)[chunk.part]
        found.setdefault(name, {}).setdefault(variant, []).extend(night.store.rows(chunk, Measured))
    as_is = measured.answers(night, list(found)) if found else {}
    drafter = {name: stages.learner(night).draft_of(name) for name in found}
    told = {chunk.part: night.rows([chunk], Attributed) for chunk in attribute.chunks(night)}
    return tuple(
        measure_ablation(name, drafter[name], as_is[name], found[name], closed=closed(night.recipe.answers)).model_copy(
            update={"attribution": measure_attribution(told.get(name, []))}
        )
        for name in found
        if as_is.get(name)
    )


def drafts(night: Night) -> tuple[Drafts, ...]:
    """Of every drafter how often it is right, on questions that are learned from and on those that are held out."""
    learner = stages.learner(night)
    found: list[Drafts] = []
    for drafter in dict.fromkeys(stage.draft_of for stage in learner.stages if stage.draft_of):
        texts = drafting.texts_of(night, drafter)
        taught = {draft_id(row.question): str(row.answer) for row in balance.taught(night)} if texts else {}
        held = [question for question, _ in held_out.rows(night, learner.validate.side)]
        asked = {draft_id(one): str(truth_of(one, night.recipe.answers.kind)) for one in held}
        shares = [_right(night, texts, truths) for truths in (taught, asked)]
        if shares[0] and shares[1]:
            found.append(Drafts(drafter=drafter, taught=shares[0], held_out=shares[1]))
    return tuple(found)


def _right(night: Night, texts: Mapping[str, str], truths: Mapping[str, str]) -> Estimate | None:
    kind, letters = night.recipe.answers.kind, night.recipe.answers.reply == "letter"
    said = {one: drafted(texts[one], kind=kind, letters=letters) for one in truths if one in texts}
    right = [value is not None and measured.same(night, truths[one], value) for one, value in said.items()]
    return estimate(np.array(right, dtype=float)) if right else None
