"""The submission: every problem's answer by the votes of the ensemble, as the contest's file wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from blocks.disk import write_whole, writing
from nightschool import committee
from nightschool.chunks import Chunk, Manifest, Together, together
from nightschool.contest_file import Judgement, judge_file, read_sample
from nightschool.contest_sample import Sample
from nightschool.errors import DataError
from nightschool.predict import Predicted, case_of
from nightschool.recipe.committee import Committee
from nightschool.recipe.predict import SUBMISSION
from nightschool.reliability import Reliability, Votes, dawid_skene, one_coin
from nightschool.submission import Submitted, Terms, as_csv, counts, in_order, submitted
from tasks import predict
from tasks.night import Night
from tasks.predict import section_of
from tasks.problems import problems
from tasks.step import Made, Served, Step

_COLUMNS = ("id", "answer")


def chunks(night: Night) -> list[Chunk]:
    if night.recipe.predict is None:
        return []
    after: list[Manifest | Together] = together([manifest for _, manifest in night.made(predict.chunks(night))])
    if sample := sample_of(night):
        after = [*after, Together(" ".join([*sample.columns, *sample.ids]), "sample")]
    return [night.chunk(SUBMISSION, 0, 0, SUBMISSION, rows=len(problems(night)), after=after)]


def make(night: Night, chunk: Chunk, served: Served) -> Made:
    said = {row.id: row for row in night.each(predict.chunks(night), Predicted)}
    answers = decided(night, said.values())
    silent = Submitted(id="", answer=section_of(night).stand_in, value=None, by="stand_in", reason="not_asked")
    found = [answers.get(one.question.id, silent).model_copy(update={"id": one.name}) for one in problems(night)]
    sample = sample_of(night)
    rows = in_order(found, sample.ids if sample else ())
    path = night.store.path(chunk, "csv")
    with writing(path.parent):
        write_whole(path, as_csv(rows, sample.columns if sample else _COLUMNS))
    judged = judged_file(night, path)
    figures = {"by": counts(rows), "judged": _figures(judged) if judged else None}
    return Made(rows, figures=figures, files=[path])


def decided(night: Night, rows: Iterable[Predicted], counted_by: Committee | None = None) -> dict[str, Submitted]:
    """An answer to each problem, by its id; what is learned of the voters is learned from all of these rows.

    Args:
        counted_by: another committee than the recipe's.
    """
    section, rows = section_of(night), list(rows)
    counting = predict.terms(night, _learned(night, rows, counted_by or night.recipe.committee), counted_by)
    terms = Terms(section.unsure, section.stand_in)
    found: dict[str, Submitted] = {}
    for row in rows:
        case = case_of(row)
        ruling, _ = committee.rule(case, counting)
        votes = committee.ballots(case.said, counting, case.names)
        found[row.id] = submitted(row.id, ruling, votes, terms, case.names)
    return found


def sample_of(night: Night) -> Sample | None:
    """The contest's sample file, if the recipe names one.

    Raises:
        DataError: it has gone, or is none.
    """
    section = section_of(night)
    if section.sample is None or section.rules is None:
        return None
    return read_sample(Path(section.sample), section.rules)


def look(night: Night) -> None:
    """That what will be handed in can be what the sample wants, before anything is asked.

    Raises:
        DataError: an id of the sample is on no problem, or the columns are not an id and an answer.
    """
    if night.recipe.predict is None or (sample := sample_of(night)) is None:
        return
    asked, path = {one.name for one in problems(night)}, night.recipe.predict.sample
    if set(sample.columns) != set(_COLUMNS):
        raise DataError(f"its columns are {', '.join(sample.columns)}, and not id and answer", file=path)
    if missing := [one for one in sample.ids if one not in asked]:
        told = ", ".join(f"{one:.40}" for one in missing[:5])
        raise DataError(f"{len(missing):,} of its ids are on no problem: {told}", file=path)


def judged_file(night: Night, path: Path) -> Judgement | None:
    """A submission against the contest's rules and its sample; None without a contest."""
    section = section_of(night)
    if section.contest is None:
        return None
    return judge_file(path, section.contest, kind=SUBMISSION, sample=Path(section.sample) if section.sample else None)


def place(night: Night) -> Path:
    """Where the submission is handed in, beside the night's report."""
    return night.dir / f"{SUBMISSION}.csv"


def keep(night: Night, rows: Sequence[Submitted]) -> None:
    """Puts what was handed in so far in its place, where problems come one by one."""
    with writing(night.dir):
        write_whole(place(night), as_csv(rows, _COLUMNS))


def hand_in(night: Night) -> None:
    """Puts the submission in its place, if there is one."""
    for chunk, _ in night.made(chunks(night)):
        with writing(night.dir):
            write_whole(place(night), night.store.path(chunk, "csv").read_bytes())
        night.store.mirror(place(night))


def _figures(judged: Judgement) -> Mapping[str, object]:
    broken = Counter(each.rule for row in judged.rows for each in row.breaches)
    return {"rows": len(judged.rows), "valid": judged.valid, "taken": judged.taken, "broken": dict(broken),
            "whole": [f"{one.rule.replace('_', ' ')}: {one.detail}" for one in judged.whole]}  # fmt: skip


def _learned(night: Night, rows: Sequence[Predicted], section: Committee) -> Reliability | None:
    """How reliable each voter is, from the votes on all problems; None where the strategy does not ask for it."""
    if section.strategy != "reliability":
        return None
    plain, closed = predict.terms(night, section=section), night.recipe.answers.value == "yes_no"
    times: Counter[Votes] = Counter()
    for row in rows:
        case = case_of(row)
        times[committee.pattern(committee.ballots(case.said, plain, case.names), case.names, closed=closed)] += 1
    return dawid_skene(times, ("no", "yes")) if closed else one_coin(times)


STEP = Step(SUBMISSION, chunks, make, here=True)
