"""From what proved a student to sentences: times, drafts taken away, the arena, the judges, an ensemble, gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightschool.gates import limit_shown
from nightschool.readings import reading
from nightschool.recipe.ablate import ENOUGH, SHOWN
from nightschool.recipe.arena import voters
from nightschool.recipe.gate import Gate
from nightschool.recipe.recipe import Recipe
from nightschool.report.figures import Report
from nightschool.report.text import percent, plain
from nightschool.report.times import Times

VOTES = {
    "majority": "by majority",
    "unanimous": "where they were unanimous",
    "numeric_average": "by the mean of the numbers near their median",
    "confidence_weighted": "by the sum of their confidence",
    "max_confidence": "by the highest confidence",
    "median_confidence": "by the median of their confidence",
    "reliability": "weighted by each one's reliability, learned from all votes",
}


def proven(recipe: Recipe, report: Report) -> Iterator[str]:
    """A sentence or two of each part that the night has figures of."""
    for one in report.times:
        yield from _timed(recipe, one)
    yield from _drafts(report)
    yield from _arena(recipe, report)
    yield from _judged(recipe, report)
    yield from _ensemble(recipe, report)
    yield from _gates(recipe, report)


def _timed(recipe: Recipe, times: Times) -> Iterator[str]:
    way = next((one for one in times.ways if one.way == "single" and one.warm), None)
    if way:
        yield (
            f"Times of {times.stage} writing {times.of} were taken one request after the other from a server at work "
            f"({way.n:,} of them), to the first token, between tokens and to the last."
        )
    contest = recipe.validate_ and recipe.validate_.contest
    terms = contest.terms(times.of) if contest else None
    if times.held is None or terms is None:
        return
    held = times.held
    total = f" and {terms.total_s:g} s in all" if terms.total_s is not None else ""
    yield (
        f"They were taken once more as the contest {held.contest} makes it work: from a server just started, in "
        f"batches of {terms.batch_size}, {held.n:,} of its {terms.rows:,} requests; it allows {terms.each_s:g} s for "
        f"each, {terms.mean_s:g} s on average{total}."
    )


def _drafts(report: Report) -> Iterator[str]:
    for one in report.ablations:
        shown = [SHOWN[each.variant] for each in one.shown]
        yield (
            f"To see whether {one.stage} uses the drafts of {one.drafter}, it was asked the same questions with "
            f"{_listed(shown)} in the draft's place, under the same seeds."
        )
        if found := one.attribution:
            yield (
                f"Where its answers come from was told on {found.questions:,} of these questions by integrated "
                f"gradients from the mean embedding, in {found.steps:,} steps at most; rows whose attributions do not "
                f"add up within {percent(ENOUGH, 0)} were left out."
            )


def _arena(recipe: Recipe, report: Report) -> Iterator[str]:
    if report.arena is None or recipe.arena is None:
        return
    section, judges = recipe.arena, voters(recipe)
    votes = f", and by votes of {_listed(judges)} where it could not read a question" if judges else ""
    yield (
        f"{_listed([one.name for one in report.arena.players])} played everyone against everyone: each wrote "
        f"{section.per_topic:,} questions on each topic and answered those of the others. What was right was said by "
        f"an exact solver{votes}; a wrong or unreadable answer is a point for the question's writer, a right one for "
        f"whoever answered, and an invalid question for the opponent. Chances to win are of matches of "
        f"{section.questions} questions a side."
    )


def _judged(recipe: Recipe, report: Report) -> Iterator[str]:
    if not report.quality or recipe.quality is None:
        return
    section = recipe.quality
    compared = list(dict.fromkeys(f"{one.ours} with {one.theirs}" for one in report.quality))
    judges = list(dict.fromkeys(one.judge for one in report.quality))
    yield (
        f"Questions of {_listed(compared)} were compared by {_listed(judges)} (temperature {section.temperature:g}, "
        f"top-p {section.top_p:g}, at most {section.max_tokens:,} tokens): at most {section.pairs:,} pairs "
        f"of questions on the same topic, each shown in both orders; a tie is half a win, and a preference is also "
        f"given at equal length."
    )


def _ensemble(recipe: Recipe, report: Report) -> Iterator[str]:
    found, section = report.ensemble, recipe.predict
    if found is None or section is None:
        return
    rounds = f", in at most {section.rounds} rounds until the votes sufficed" if section.rounds > 1 else ""
    each = (
        "each model under a prompt had one vote" if recipe.committee.voters == "teachers" else "each reply had a vote"
    )
    prompts = _listed([plain(one) for one in found.templates])
    solved = f"{section.shots} solved example{'' if section.shots == 1 else 's'}"
    shown = f", with {solved}" if section.examples and section.shots else ""
    yield (
        f"An ensemble of {_listed(found.models)}, each under the prompts {prompts}{shown}, answered "
        f"{found.problems:,} problems{rounds}; {each}, counted {VOTES[recipe.committee.strategy]}."
    )
    budget = section.budget
    limits = [
        *([f"{budget.per_problem_s:g} s for a problem"] if budget.per_problem_s else []),
        *([f"{budget.total_s:g} s for all of them"] if budget.total_s else []),
    ]
    if limits:
        yield f"Its time was {_listed(limits)}; when that was over, the votes that had come decided."
    if found.checked:
        yield f"Answers to {found.checked:,} of them could be put into the problem; one that did not fit had no vote."
    if len(found.rules) > 1 and found.whole.right:
        yield (
            "Rules of voting are compared on the same replies, problem by problem, by Agresti and Min's interval and "
            "McNemar's exact test."
        )


def _gates(recipe: Recipe, report: Report) -> Iterator[str]:
    """Those that there is a figure for: what the night had to reach was written down before it began."""
    held = [_gate(gate) for gate in recipe.gates if reading(gate, report).value is not None]
    if held:
        yield f"Of its figures the night was held to limits that were set before it: {'; '.join(held)}."


def _gate(gate: Gate) -> str:
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    assert limit is not None, "the recipe refuses a gate without a limit"
    of = " ".join(filter(None, (gate.stage or gate.player, plain(gate.metric).removesuffix(" s"))))
    over = f" over {gate.over}" if gate.over else ""
    way = "at least" if gate.at_least is not None else "at most"
    near = ", by the near end of its interval" if gate.by == "interval" else ""
    return f"{of}{over} {way} {limit_shown(gate.metric, limit)}{near}"


def _listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
