"""One chunk of an ablation: a stage on the held-out questions with another draft, or none."""

from __future__ import annotations

from functools import partial

from nightschool import ablate, drafts
from nightschool.chunks import Chunk, split
from nightschool.recipe.ablate import SHOWN, Variant
from tasks import branches, held_out, stages
from tasks import drafts as drafting
from tasks.night import Night
from tasks.step import Made, Served, Step


def chunks(night: Night) -> list[Chunk]:
    asked, learner = parts(night), night.recipe.learner
    if not asked or learner is None:
        return []
    left_out = branches.skipped(night)
    runs = split(range(held_out.count_of(night, learner.validate.side)), learner.validate.chunk_rows)
    wanted = [(part, index, len(run)) for part, (name, _) in asked.items() if name not in left_out
              for index, run in enumerate(runs)]  # fmt: skip
    after = {name: stages.asked_with(night, name) for name in {name for name, _ in asked.values()}}
    return [
        night.chunk(
            f"ablate/{part}",
            index,
            ordinal,
            f"{asked[part][0]} with {SHOWN[asked[part][1]]}, chunk {index + 1}/{len(runs)}",
            rows=rows,
            after=after[asked[part][0]],
        )
        for ordinal, (part, index, rows) in enumerate(wanted)
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    learner, (name, variant) = stages.learner(night), parts(night)[chunk.part]
    mine = split(held_out.rows(night, learner.validate.side), learner.validate.chunk_rows)[chunk.index]
    texts = instead(night, name, variant)
    return held_out.measure(
        night, chunk, name, served[name], mine, lambda question: texts.get(drafts.draft_id(question))
    )


def parts(night: Night) -> dict[str, tuple[str, Variant]]:
    """Stage and variant of every part."""
    section, learner = night.recipe.ablate, night.recipe.learner
    names = section.of(learner.stages, learner.measured) if section and learner else []
    return {f"{name}/{one}": (name, one) for name in names for one in (section.variants if section else ())}


def instead(night: Night, name: str, variant: Variant) -> dict[str, str]:
    """What a stage is shown for the drafts of the held-out questions, by their digests."""
    learner, section = stages.learner(night), night.recipe.answers
    letters = section.reply == "letter"
    texts = drafting.texts_of(night, learner.draft_of(name))

    def changed() -> dict[str, str]:
        asked = {drafts.draft_id(question): None for question, _ in held_out.rows(night, learner.validate.side)}
        return ablate.instead(
            variant,
            {one: texts[one] for one in asked if one in texts},
            read=partial(drafts.said, kind=section.kind, letters=letters),
            way=partial(drafts.way, letters=letters),
            seed=night.recipe.seed,
        )

    made = night.made(stages.drafting(night, learner.draft_of(name)))
    return night.once(f"{variant} {name} {' '.join(manifest.digest for _, manifest in made)}", changed)


STEP = Step("ablate", chunks, make, at_once=lambda night: getattr(night.recipe.validate_, "chunks_in_flight", 1))
