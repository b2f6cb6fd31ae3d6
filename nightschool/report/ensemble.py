"""From what came of an ensemble to the tables and lines that a person reads: page, terminal, Prefect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nightschool.report.estimates import counted, gained, guessed, spoken, taking
from nightschool.report.predicted import Ensemble, Voted
from nightschool.report.proof import Gain
from nightschool.report.student import verdict
from nightschool.report.tables import Table
from nightschool.report.text import duration, percent, plain, probability

_BY = {
    "votes": "by votes",
    "check": "by putting them into the problem",
    "guess": "as a best guess: the votes do not suffice",
    "stand_in": "nothing to go by: the stand-in",
}
_COLOURS = {"votes": "good", "check": "good", "guess": "accent", "stand_in": "bad"}
_WHY = {
    "late": "no reply in time",
    "no_time": "not asked: it takes longer than there was time",
    "no_answer": "does not answer",
}
_MOST_TOLD = 12


def lines(told: Ensemble) -> list[str]:
    """One screen: answers by where they come from, who is right, who was not heard, and what is handed in."""
    return [*_answers(told), *_rights(told), *_rules(told), *_unheard(told), *_handed_in(told)]


def line(told: Ensemble) -> str:
    """All in one: how often it is right, beside the best of its voters; its coverage where no truth is known."""
    whole, best = told.whole, next(iter(told.voters[1:]), None)
    if whole.right is None:
        return f"answers {spoken(whole.answered)} of {told.problems:,} problems"
    text = f"{spoken(whole.right)} right, n {whole.right.n:,}"
    text += f"; best voter {best.name} {spoken(best.right)}" if best and best.right else ""
    return text + "".join(f"; {name} {spoken(found)}" for name, found in guessed(told.baselines))


def words(told: Ensemble) -> str:
    """Who was asked, how, and what that cost."""
    own = next((one.strategy for one in told.rules if one.own), "")
    counted = f"; votes are counted by {plain(own)}" if own else ""
    rounds = f", in {told.rounds} rounds at most" if told.rounds > 1 else ""
    return (
        f"{told.problems:,} problems were put to {_count(len(told.models), 'model')} under "
        f"{_count(len(told.templates), 'prompt')} each{rounds}{counted}. {told.requests:,} requests, "
        f"{told.tokens_out:,} tokens of replies.{_checked(told)}"
    )


def time_words(told: Ensemble) -> list[str]:
    """What problems took of what they may take, and a run of its time for all."""
    if (took := told.took) is None:
        return []
    most = f", of {took.per_problem_s:g} s that one may take" if took.per_problem_s is not None else ""
    found = [
        f"A problem took {taking(took.mean_s, took.mean_low_s, took.mean_high_s)} on average, 95% of them at most "
        f"{duration(took.p95_s)}, the slowest {duration(took.max_s)}{most} (n {took.problems:,})."
    ]
    if took.used_s is not None and took.total_s:
        share = percent(took.used_s / took.total_s, 0)
        found.append(f"All together took {duration(took.used_s)} of {took.total_s:g} s ({share} of the time for all).")
    return found


def voters_table(told: Ensemble) -> Table:
    """The ensemble, every voter, and what always the same answer reaches."""
    rows = [[one.name, spoken(one.answered), spoken(one.right), *_gain(one.gain), _n(one)] for one in told.voters]
    rows += [[plain(name), "", spoken(found), "", "", "", f"{found.n:,}"] for name, found in told.baselines.items()]
    return ["who", "answers", "right (95% interval)", "the ensemble is better by", "p", "so", "n"], rows


def rules_table(told: Ensemble) -> Table:
    """Each rule of voting on the same replies; the recipe's own stands first."""
    rows = [
        [
            f"{plain(one.strategy)}{' (the recipe)' if one.own else ''}",
            spoken(one.decided),
            counted(one.right_decided),
            spoken(one.right),
            *_gain(one.gain),
            f"{one.right.n:,}" if one.right else f"{one.decided.n:,}",
        ]
        for one in told.rules
    ]
    return [
        "rule",
        "decides",
        "right of these",
        "right of all, guesses included",
        "over the recipe's",
        "p",
        "so",
        "n",
    ], rows


def unheard_table(told: Ensemble) -> Table:
    """Who was not heard, on how many problems, and why."""
    rows = [[voter, _WHY.get(reason, plain(reason)), f"{count:,} of {told.problems:,}"]
            for voter, reasons in told.unheard.items() for reason, count in reasons.items()]  # fmt: skip
    return ["voter", "why it was not heard", "problems"], rows


def view(told: Ensemble | None) -> dict[str, Any]:
    """What the page draws, by the names that the template uses."""
    by = [(what, _COLOURS[name], told.by[name]) for name, what in _BY.items() if told.by.get(name)] if told else []
    return {
        "ensemble_words": words(told) if told else "",
        "ensemble_by": by,
        "ensemble_most": max((count for _, _, count in by), default=0),
        "ensemble_voters": voters_table(told) if told else None,
        "ensemble_rules": rules_table(told) if told and told.rules else None,
        "ensemble_unheard": unheard_table(told) if told and told.unheard else None,
        "ensemble_time": time_words(told) if told else [],
        "ensemble_file": list(_handed_in(told)) if told else [],
    }


def _answers(told: Ensemble) -> Iterator[str]:
    yield f"{told.problems:,} problems, {told.requests:,} requests, {told.tokens_out:,} tokens of replies"
    for by, what in _BY.items():
        if count := told.by.get(by):
            yield f"  {count:>6,}  {what}"
    yield from (f"  {one}" for one in filter(None, (_checked(told).strip(), *time_words(told))))


def _rights(told: Ensemble) -> Iterator[str]:
    known = [(one.name, one.right) for one in told.voters if one.right]
    if not known:
        return
    shown = [*known[: _MOST_TOLD + 1], *((plain(name), found) for name, found in told.baselines.items())]
    width = max(len(name) for name, _ in shown)
    yield f"Right, where the file knows the answer ({known[0][1].n:,}), with 95% intervals:"
    yield from (
        f"  {name:<{width}}  {found.value:>6.1%}  ({found.low:.1%} to {found.high:.1%})" for name, found in shown
    )
    if len(known) > _MOST_TOLD + 1:
        yield f"  and {len(known) - _MOST_TOLD - 1} voters that are right less often"


def _rules(told: Ensemble) -> Iterator[str]:
    """Rules of voting, where the truth says which is better."""
    known = [one for one in told.rules if one.right]
    if len(known) < 2:
        return
    width = max(len(one.strategy) for one in known)
    yield f"The same replies to {known[0].decided.n:,} problems by each rule of voting:"
    for one in known:
        gain = (
            "the recipe's" if one.gain is None else f"over the recipe's {gained(one.gain)} points, {verdict(one.gain)}"
        )
        yield f"  {plain(one.strategy):<{width}}  decides {spoken(one.decided)}, right {counted(one.right)}"
        yield f"  {'':<{width}}  {gain}"


def _unheard(told: Ensemble) -> Iterator[str]:
    if not told.unheard:
        return
    yield "Not heard:"
    for voter, reasons in list(told.unheard.items())[:_MOST_TOLD]:
        why = "; ".join(
            f"{_WHY.get(reason, reason)} ({count:,} of {told.problems:,})" for reason, count in reasons.items()
        )
        yield f"  {voter}: {why}"
    if len(told.unheard) > _MOST_TOLD:
        yield f"  and {len(told.unheard) - _MOST_TOLD} more voters"
    yield "  The same command with --again asks only these."


def _handed_in(told: Ensemble) -> Iterator[str]:
    judged = told.judged
    if judged is not None:
        yield f"{judged.valid:,} of {judged.rows:,} rows keep to the contest's rules"
        for rule, times in judged.broken.items():
            yield f"  {times:>6,}  {rule.replace('_', ' ')}"
        yield from (f"  {one}" for one in judged.whole)
    if told.submission:
        yield f"Submission: {told.submission}"


def _checked(told: Ensemble) -> str:
    return f" On {told.checked:,} of the problems answers could be put into them." if told.checked else ""


def _gain(gain: Gain | None) -> tuple[str, str, str]:
    if gain is None:
        return "", "", ""
    return gained(gain), probability(gain.p), verdict(gain)


def _n(one: Voted) -> str:
    return f"{(one.right or one.answered).n:,}"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"
