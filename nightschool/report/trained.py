"""From the stages of a recipe to sentences: what each was trained on, how, and what of it was kept."""

from __future__ import annotations

from collections.abc import Iterator

from nightschool.recipe.learning import Dpo, Training
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Stage
from nightschool.report.figures import Report
from nightschool.report.text import percent, plain


def trained(recipe: Recipe, report: Report) -> Iterator[str]:
    """A sentence or two of every stage that was trained."""
    rows = {lesson.stage: lesson.trained for lesson in report.lessons}
    if recipe.pairs and recipe.pairs.rejected == "student" and any(stage.kind == "dpo" and stage.name in rows
                                                                  for stage in recipe.stages):  # fmt: skip
        pairs = recipe.pairs
        chosen = "its right drafts" if pairs.chosen == "student" else "what is taught"
        yield (
            f"Pairs for preference training were drawn from {pairs.samples} drafts of the student per question "
            f"(temperature {pairs.temperature:g}, top-p {pairs.top_p:g}, at most {pairs.max_tokens:,} tokens): "
            f"{chosen} against its wrong ones, at most {pairs.per_question} per question."
        )
    for stage in recipe.stages:
        if stage.kind == "rounds" and isinstance(stage.section, Dpo) and stage.section.loop and report.rounds:
            most = stage.section.loop.most
            yield f"Stage {stage.name} is the last good one of at most {most} rounds, judged on the validation side."
        if stage.name in rows:
            yield _told(stage, rows[stage.name])
            if found := report.evaluated.get(stage.name):
                yield f"Of {stage.name}, {found.told[0].lower()}{found.told[1:]}."


def _told(stage: Stage, rows: int) -> str:
    section = stage.section
    how = _preference(section) if isinstance(section, Dpo) else f"on {_lessons(stage)}, loss on the reply alone"
    kind = "preference optimisation (DPO)" if isinstance(section, Dpo) else "supervised fine-tuning"
    held = f" held to {stage.reference}" if stage.kind == "dpo" else ""
    shown = f", drafts of {section.draft_of} shown in its prompts" if section.draft_of else ""
    what = f"Stage {stage.name} is {kind} of {stage.start}{held} on {rows:,} rows{shown}"
    return f"{what}, {how}: {_weights(stage)}, {_steps(section)}"


def _lessons(stage: Stage) -> str:
    return " and ".join(f"{lesson} (weight {weight:g})" if len(stage.teaches) > 1 else lesson
                        for lesson, weight in stage.teaches.items())  # fmt: skip


def _preference(section: Dpo) -> str:
    parts = [f"loss {' + '.join(section.loss)}", f"beta {section.beta:g}"]
    if section.label_smoothing:
        parts.append(f"label smoothing {section.label_smoothing:g}")
    parts += [f"calibration {section.cal}"] if section.cal != "none" else []
    if section.robust != "none":
        dropped = f", {percent(section.drop_share, 0)} of the pairs left out" if "drop" in section.robust else ""
        parts.append(f"robust {section.robust}{dropped}")
    parts += ["by a schedule over its epochs"] if section.schedule else []
    return ", ".join(parts)


def _weights(stage: Stage) -> str:
    lora = stage.lora
    if lora is None:
        return "all weights"
    targets = lora.target_modules if isinstance(lora.target_modules, str) else ", ".join(lora.target_modules)
    kinds = (("DoRA", lora.dora), ("rsLoRA", lora.rslora), (f"weights in {lora.quantize}", lora.quantize != "none"))
    more = "".join(f", {name}" for name, is_on in kinds if is_on)
    goes_on = "the same adapter" if stage.goes_on else "an adapter"
    return f"{goes_on} (LoRA rank {lora.r}, alpha {lora.alpha}, dropout {lora.dropout:g}, {targets}{more})"


def _steps(section: Training) -> str:
    rows = section.batch_size * section.accumulation
    of = f" ({section.batch_size} by {section.accumulation} steps of accumulation)" if section.accumulation > 1 else ""
    return (
        f"{section.epochs:g} epoch{'' if section.epochs == 1 else 's'}, {section.optimizer} at a learning rate of "
        f"{section.learning_rate:g}, {plain(section.scheduler)} after {percent(section.warmup_share, 0)} of the steps "
        f"to warm up, weight decay {section.weight_decay:g}, gradients clipped at {section.max_grad_norm:g}, {rows:,} "
        f"rows a step{of}, at most {section.max_length:,} tokens."
    )
