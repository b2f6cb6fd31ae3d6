"""What came of an ensemble: where its answers come from, who was not heard, who is right, and by what rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from nightschool.hearing import truth_of
from nightschool.predict import Predicted
from nightschool.recipe.choosing import closed
from nightschool.recipe.committee import Committee
from nightschool.recipe.predict import models, voters
from nightschool.report.guessing import guess
from nightschool.report.predicted import Counted, Ensemble, Judged, Took, Voted
from nightschool.report.voted import beside, share, took
from nightschool.submission import Submitted
from nightschool.values.kinds import Kind
from nightschool.voting import Strategy
from tasks import merge, predict, submission
from tasks.night import Night
from tasks.problems import distinct, problems

ENSEMBLE = "ensemble"


def summary(night: Night) -> Ensemble:
    """What is on file of it."""
    rows = list(night.each(predict.chunks(night), Predicted))
    made = night.made(submission.chunks(night))
    figures = made[-1][1].figures if made else {}
    costs = Counter[str]()
    for _, manifest in night.made(predict.chunks(night)):
        costs.update({name: int(manifest.figures.get(name, 0)) for name in ("requests", "tokens_out")})
    handed_in, section, right = submission.place(night), predict.section_of(night), _Right(night)
    own = night.rows(submission.chunks(night), Submitted)
    return Ensemble(
        night=night.name,
        problems=len(problems(night)),
        models=models(night.recipe),
        templates=tuple(section.templates),
        rounds=section.rounds,
        by=figures.get("by", {}),
        voters=_voters(night, rows, {row.problem: row.value for row in own if row.problem}, right),
        rules=_rules(night, rows, right),
        baselines=guess(Counter(right.truths.values()), closed=closed(night.recipe.answers)),
        checked=sum(bool(row.checked) for row in rows),
        requests=costs["requests"],
        tokens_out=costs["tokens_out"],
        took=_took(night),
        submission=str(handed_in) if handed_in.is_file() else None,
        judged=Judged.model_validate(judged) if (judged := figures.get("judged")) else None,
    )


def found(night: Night) -> Ensemble | None:
    """The same, for a night that may have no ensemble, or has not come to it."""
    return summary(night) if night.recipe.predict and night.made(predict.chunks(night)) else None


class _Right:
    """Which answers are right, each pair compared once; one that is missing is not."""

    def __init__(self, night: Night) -> None:
        self._kind: Kind = night.recipe.answers.kind
        self._told: dict[tuple[str, str], bool] = {}
        self.truths = {
            one.id: known.answer
            for one in distinct(night)
            if (known := truth_of(one.answer, self._kind)) and known.answer is not None
        }

    def of(self, said: Mapping[str, str | None]) -> list[bool]:
        """For each problem whose truth is known, in order."""
        return [self._one(truth, said.get(problem)) for problem, truth in self.truths.items()]

    def _one(self, truth: str, value: str | None) -> bool:
        if value is None:
            return False
        if (truth, value) not in self._told:
            self._told[truth, value] = merge.same(truth, value, self._kind) is True
        return self._told[truth, value]


def _voters(night: Night, rows: Sequence[Predicted], own: Mapping[str, str | None], right: _Right) -> tuple[Voted, ...]:
    ours, unheard = right.of(own), predict.unheard(rows)

    def voted(name: str, said: Mapping[str, str | None]) -> Voted:
        theirs = right.of(said)
        answered = share(sum(value is not None for value in said.values()), len(distinct(night)))
        assert answered is not None, "a file has problems"
        gain = beside(name, theirs, ours) if name != ENSEMBLE else None
        return Voted(name=name, answered=answered, right=share(sum(theirs), len(theirs)), gain=gain,
                     unheard=dict(unheard.get(name, {})))  # fmt: skip

    alone = [voted(voter.name, _first(rows, voter.name)) for voter in voters(night.recipe)]
    alone.sort(key=lambda one: -(one.right or one.answered).value)
    return voted(ENSEMBLE, own), *alone


def _first(rows: Sequence[Predicted], voter: str) -> dict[str, str | None]:
    """Its first reply to each problem: a second one is asked only where the first left the committee unsure."""
    return {row.id: row.heard[voter][0].value for row in rows if row.heard.get(voter)}


def _rules(night: Night, rows: Sequence[Predicted], right: _Right) -> tuple[Counted, ...]:
    """The recipe's own rule, then the others that mean something here."""
    own = night.recipe.committee
    counted = (
        [(section, submission.decided(night, rows, section)) for section in (own, *_others(night))] if rows else []
    )
    said = [{one: row.value for one, row in decided.items()} for _, decided in counted]
    ours = right.of(said[0]) if said else []
    found: list[Counted] = []
    for (section, decided), values in zip(counted, said, strict=True):
        sure = {one for one, row in decided.items() if row.by in ("votes", "check")}
        theirs = right.of(values)
        known = [hit for hit, problem in zip(theirs, right.truths, strict=True) if problem in sure]
        covers = share(len(sure), len(decided))
        assert covers is not None, "somebody was heard"
        found.append(
            Counted(
                strategy=section.strategy, own=section is own, decided=covers,
                right_decided=share(sum(known), len(known)), right=share(sum(theirs), len(theirs)),
                gain=None if section is own else beside(own.strategy, ours, theirs),
            )
        )  # fmt: skip
    return tuple(found)


def _others(night: Night) -> list[Committee]:
    """The committee's section with each other strategy that its votes can be counted by, and what is that one's own
    left out."""
    own, numbers = night.recipe.committee, night.recipe.answers.value in ("integer", "number", "latex")
    section = predict.section_of(night)
    several = own.voters == "teachers" and night.recipe.answers.samples * section.rounds > 1
    left_out = {own.strategy}
    left_out |= set() if numbers else {"numeric_average"}
    left_out |= {"reliability"} if own.voters == "samples" else set()
    if own.confidence == "votes" and not several:
        left_out |= {"confidence_weighted", "max_confidence", "median_confidence"}
    plain = {"fallback": "none", "min_confidence": 0.0}
    return [own.model_copy(update={**plain, "strategy": one}) for one in get_args(Strategy) if one not in left_out]


def _took(night: Night) -> Took | None:
    made = [manifest.figures for _, manifest in night.made(predict.chunks(night))]
    budget = predict.section_of(night).budget
    return took(
        [float(figures["thought_s"]) for figures in made if "thought_s" in figures],
        per_problem_s=budget.per_problem_s,
        used_s=max((float(figures["used_s"]) for figures in made if "used_s" in figures), default=None),
        total_s=budget.total_s,
    )
