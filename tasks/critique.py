"""The critiques: a chunk for each of merged solutions, of those questions that were kept."""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec

from nightschool import critique
from nightschool.chunks import Chunk, Manifest, together
from nightschool.critique import Drawn, Terms
from nightschool.lines import solved_line
from nightschool.mended import Side
from nightschool.records import CritiqueRow, Dropped
from nightschool.report.proof import Critiques
from tasks import answers, merge
from tasks import splits as chosen
from tasks.night import Night
from tasks.standing import beside, standing
from tasks.step import Made, Served, Step


class _Kept(msgspec.Struct, gc=False):
    id: str
    side: Side = "train"


_kept = msgspec.json.Decoder(_Kept).decode


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.critique is None:
        return []
    merged = merge.chunks(night)
    read: dict[int, list[Manifest]] = defaultdict(list)
    for chunk, manifest in (*night.made(merged), *night.made(answers.chunks(night))):
        read[chunk.index].append(manifest)
    kept = together([manifest for _, manifest in night.made(chosen.out(night))])
    return [
        night.chunk(
            "critique",
            chunk.index,
            chunk.index,
            f"critique chunk {chunk.index + 1}/{len(merged)}",
            rows=chunk.rows,
            after=[*read[chunk.index], *kept],
        )
        for chunk in merged
    ]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    section = night.recipe.critique
    assert section is not None
    terms = Terms(
        prompt=section.prompt, per_question=section.per_question, shares=section.shares,
        data_source=section.data_source, seed=night.recipe.seed,
    )  # fmt: skip
    kept, drawn = standing(night, chunk.phase, "sides", lambda: _sides(night)), Drawn()
    rows: list[CritiqueRow] = []
    dropped: list[Dropped] = []
    merged = night.read(beside(night, chunk, merge.chunks), solved_line)
    for row, said in merge.texts(night, chunk, merged):
        if row.id not in kept:
            dropped.append(Dropped(id=row.id, topic=row.question.topic, reason="question_not_kept"))
            continue
        found = critique.critiques(row, said, terms, drawn, side=kept[row.id])
        rows.extend(found) if isinstance(found, list) else dropped.append(found)
    counts = {
        "judgements": {teacher: dict(each) for teacher, each in drawn.judgements.items()},
        "per_question": dict(drawn.per_question),
        "left_out": dict(drawn.left_out),
    }
    return Made(rows, [(row.reason, row) for row in dropped], figures={"critiques": counts})


def _sides(night: Night) -> dict[str, Side]:
    """The side of every question that was kept, by its id."""
    return {row.id: row.side for row in night.read(chosen.out(night), _kept)}


def measured(night: Night) -> Critiques | None:
    """How many critiques there are, right and wrong, by teacher and by question; counted from the manifests."""
    judgements: dict[str, Counter[str]] = {}
    sums: dict[str, Counter[str]] = {"per_question": Counter(), "left_out": Counter()}
    dropped: Counter[str] = Counter()
    made = night.made(chunks(night))
    for _, manifest in made:
        counts = manifest.figures["critiques"]
        dropped.update(manifest.dropped)
        for teacher, each in counts["judgements"].items():
            judgements.setdefault(teacher, Counter()).update(each)
        for name, total in sums.items():
            total.update(counts[name])
    if not made:
        return None
    return Critiques(
        judgements={teacher: dict(each) for teacher, each in sorted(judgements.items())},
        per_question=dict(sums["per_question"].most_common()),
        left_out=dict(sums["left_out"].most_common()),
        dropped=dict(dropped.most_common()),
        questions=sum(sums["per_question"].values()),
    )


STEP = Step("critique", chunks, make)
