"""A night's rows in a folder for another program: whole or not there, with what is in it beside it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from blocks.export_files import write_rows
from nightschool.chunks import Chunk
from nightschool.errors import RecipeError, WorldError
from nightschool.exports import lesson, verl_reward
from nightschool.exports.lesson import Lesson
from nightschool.exports.manifest import ExportManifest, readme
from nightschool.exports.shapes import FORMATS, PREFERENCE, FormatName, preference
from nightschool.mended import Side
from nightschool.records import CritiqueRow, PreferenceRow, Question, Ruling
from nightschool.splits import side_of
from tasks import balance
from tasks.export_folder import digests, new_folder
from tasks.night import Night
from tasks.steps import STEPS

SIDES: tuple[Side, ...] = get_args(Side)
# Phases whose rows may be handed over.
_ROWS = ("pool", "committee", "review", "filters", "splits", "balance", "pairs", "critique")
PHASES = tuple(phase for phase in STEPS if phase in _ROWS)
_ABILITIES = {"letter": "choice", "yes_no": "yes_no", "integer": "math", "number": "math", "latex": "math"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted.

    Args:
        phase: whose rows; by default those that would be taught, whichever phases they lie in.
        sides: all that the rows have, or one.
        data_source: by which verl picks its reward; by default one that it does not know.
    """

    format: FormatName
    phase: str | None = None
    sides: Sequence[Side] = SIDES
    data_source: str | None = None


@dataclass
class _Rows:
    """The rows of a phase in a format; `left_out` counts what has no place in it."""

    night: Night
    phase: str
    chunks: Sequence[Chunk]
    format: FormatName
    data_source: str | None
    left_out: Counter[str] = field(default_factory=Counter)
    data_sources: set[str] = field(default_factory=set)

    def of(self, side: Side) -> Iterator[dict[str, Any]]:
        """Those of a side; of a question that is repeated, a table of answers has one."""
        shape, answered, index = FORMATS[self.format], set[str](), 0
        pool = self.night.recipe.pool
        default = f"nightschool/{pool.kind if pool.file else 'school'}"
        for one in self._lessons():
            if (one.side if one else SIDES[0]) != side:
                continue
            if one is None or (shape.imitates and not one.completion):
                self.left_out["a row without an answer" if one is None else "a row without a text to imitate"] += 1
            elif self.format != "csv" or one.question_id not in answered:
                if one.weight != 1 and not shape.weighs:
                    self.left_out["the weight of a row"] += 1
                named = self.data_source or one.data_source or default
                self.data_sources.add(named)
                yield shape.row(one, index, named)
                answered.add(one.question_id)
                index += 1

    def _lessons(self) -> Iterator[Lesson | None]:
        recipe, chunks = self.night.recipe, self.chunks
        prompt = recipe.student.prompt if recipe.student else recipe.answers.prompt
        lettered = recipe.answers.reply == "letter"
        ability = "choice" if lettered else _ABILITIES.get(recipe.answers.value, "text")
        if self.phase == "critique":
            rows = self.night.each(chunks, CritiqueRow)
            return (lesson.of_critique(row) for row in rows)
        if self.phase == "pool":
            asked = self.night.each(chunks, Question)
            return (lesson.of_question(row, prompt, ability, side=self._side(row.question)) for row in asked)
        rulings = self.night.each(chunks, Ruling)
        return (lesson.of_ruling(row, prompt, ability, lettered=lettered) for row in rulings)

    def _side(self, question: str) -> Side:
        """The side of a question that no split has ruled on: the one that it would be given."""
        section = self.night.recipe.splits
        if section is None:
            return SIDES[0]
        return side_of(question, validation=section.validation, test=section.test, salt=section.salt)


def export(night: Night, order: Order, to: Path | None = None, *, force: bool = False) -> ExportManifest:
    """Writes the rows, a README and a manifest into a folder, which is there when all of it is.

    Raises:
        RecipeError: no such phase, rows that this format has no place for, or a folder that is there already.
        WorldError: the phase is not whole yet, or the folder cannot be written.
    """
    phase, whole = _named(night, order.phase) if order.phase else _taught(night, order.format)
    _allowed(night, phase, order)
    folder = (to or night.dir / "exports" / f"{phase}-{order.format}").absolute()
    with new_folder(folder, force=force) as half:
        found = _write(night, phase, whole, order, half)
    return found.model_copy(update={"folder": str(folder)})


def _write(night: Night, phase: str, chunks: Sequence[Chunk], order: Order, folder: Path) -> ExportManifest:
    shape = FORMATS[order.format]
    rows = _Rows(night, phase, chunks, order.format, order.data_source)
    columns = PREFERENCE if phase == "pairs" else shape.columns
    counts: dict[str, int] = {}
    if phase == "pairs":
        pairs = (preference(row) for row in night.each(chunks, PreferenceRow))
        counts[f"preferences{shape.suffix}"] = write_rows(folder / f"preferences{shape.suffix}", pairs, PREFERENCE)
    else:
        for side in order.sides:
            path = folder / f"{side}{shape.suffix}"
            counts[path.name] = write_rows(path, rows.of(side), columns)
            if not counts[path.name]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not any(counts.values()):
        why = "; ".join(f"{count:,}: {reason}" for reason, count in rows.left_out.items())
        raise RecipeError(f"{phase} has no row for this format{f' ({why})' if why else ''}", field="--format",
                          value=order.format)  # fmt: skip
    if order.format == "verl" and phase == "critique":
        (folder / "reward.py").write_text(Path(verl_reward.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    found = ExportManifest(
        night=night.name, recipe=night.recipe.name, phase=phase, format=order.format,
        data_source=", ".join(sorted(rows.data_sources)),
        keys=sorted({chunk.key for chunk in chunks}), columns=dict(columns),
        rows={name: count for name, count in counts.items() if count}, left_out=dict(rows.left_out),
        files=digests(folder),
    )  # fmt: skip
    (folder / "README.md").write_text(readme(found), encoding="utf-8")
    (folder / "manifest.json").write_text(found.model_dump_json(indent=1, exclude={"folder"}), encoding="utf-8")
    return found


def _taught(night: Night, format_: FormatName) -> tuple[str, list[Chunk]]:
    """The rows that would be taught, and the last phase that decided on them; the pool's where none does."""
    chunks = balance.out(night)
    if chunks:
        phase = max((chunk.phase for chunk in chunks), key=list(STEPS).index)
        return phase, _whole(night, phase, chunks)
    if FORMATS[format_].imitates:
        raise RecipeError("no phase of this night decides which text is to be imitated", field="--format",
                          value=format_, allowed="verl, datasets, csv, jsonl")  # fmt: skip
    return _named(night, "pool")


def _named(night: Night, phase: str) -> tuple[str, list[Chunk]]:
    if phase not in PHASES:
        raise RecipeError("no such phase, or none to export", field="--phase", value=phase, allowed=", ".join(PHASES))
    return phase, _whole(night, phase, STEPS[phase].chunks(night))


def _whole(night: Night, phase: str, chunks: list[Chunk]) -> list[Chunk]:
    made = len(night.made(chunks))
    if not chunks or made < len(chunks):
        raise WorldError(f"{phase} of night {night.name} is not whole yet ({made} of {len(chunks)} chunks): "
                         f"nightschool status {night.name}{night.where}")  # fmt: skip
    return chunks


def _allowed(night: Night, phase: str, order: Order) -> None:
    """That these rows may go into this format.

    Raises:
        RecipeError: pairs that are no pairs there, or a benchmark that must not be trained on.
    """
    if phase == "pairs" and order.format not in ("trl", "jsonl", "datasets"):
        raise RecipeError("pairs are two replies to a prompt", field="--format", value=order.format,
                          allowed="trl, jsonl, datasets")  # fmt: skip
    file = night.recipe.pool.file
    if file and file.canary and order.format != "csv" and "train" in order.sides:
        raise RecipeError("the night's file asks never to be learnt from (its canary)", field="--format",
                          value=order.format, allowed="csv, or --side validation or test")  # fmt: skip
