"""From the student's figures to the tables of its part of the page: differences, classes, topics, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nightschool.report.by_class import classes_table, confusion
from nightschool.report.estimates import size_of, spoken
from nightschool.report.figures import Report
from nightschool.report.proof import Estimate, Gain
from nightschool.report.stage import Contamination, Stage
from nightschool.report.tables import Table
from nightschool.report.text import percent, plain, points, probability
from nightschool.report.topics import largest

_MOST_TOPICS = 40


def view(report: Report) -> dict[str, Any]:
    """All of them, by the names that the template uses."""
    stages = report.stages
    classes = classes_table(stages)
    return {
        "differences_table": differences_table(stages),
        "topics_table": topics_table(stages, report.topic_baselines),
        "classes_table": classes,
        "confusions": [(one.name, confusion(one.by_class)) for one in stages if one.by_class] if classes[1] else [],
        "sure_table": sure_table(stages),
        "sure_words": sure_words(stages),
        "unread_table": unread_table(stages),
        "ruled_table": ruled_table(stages),
        "contamination_words": contamination_words(report.contamination) if report.contamination else "",
    }


def verdict(gain: Gain) -> str:
    """What a difference says: one that is not significant is called so."""
    if not gain.significant:
        return "no significant difference"
    return "better" if gain.value > 0 else "worse"


def differences_table(stages: Sequence[Stage]) -> Table:
    """Every stage against what came before it, and against always giving the commonest answer."""
    rows = [
        [stage.name, gain.over, points(gain.value), f"{points(gain.low)} to {points(gain.high)}", size_of(gain),
         probability(gain.p), verdict(gain)]
        for stage in stages
        for gain in stage.compared
    ]  # fmt: skip
    return ["stage", "over", "points", "95% interval", "n", "p", "so"], rows


def topics_table(
    stages: Sequence[Stage], baselines: Mapping[str, Mapping[str, Estimate]], most: int = _MOST_TOPICS
) -> Table:
    """Topics by stage, and what guessing reaches in each; the largest of many, nothing where there is one topic."""
    topics = largest({topic: found.n for stage in stages for topic, found in stage.per_topic.items()}, most)
    if len(topics) < 2:
        return [], []
    rows = [
        [
            plain(topic),
            *(spoken(stage.per_topic.get(topic)) for stage in stages),
            _commonest(baselines.get(topic, {})),
            spoken(baselines.get(topic, {}).get("chance")),
            f"{max(stage.per_topic[topic].n for stage in stages if topic in stage.per_topic):,}",
        ]
        for topic in topics
    ]
    return ["topic", *(stage.name for stage in stages), "always one answer", "chance", "answers"], rows


def sure_table(stages: Sequence[Stage]) -> Table:
    """Of the last stage that has one: how often answers are right with which so many of the others agree."""
    found = next((stage.calibration for stage in reversed(stages) if stage.calibration), None)
    rows = [[percent(one.sure, 0), spoken(one.right), f"{one.right.n:,}"] for one in (found.levels if found else ())]
    return ["others that say the same", "right", "answers"], rows


def sure_words(stages: Sequence[Stage]) -> list[str]:
    """Of each stage whether it is as sure as it is right."""
    words: list[str] = []
    for stage in stages:
        if (found := stage.calibration) is None:
            continue
        told = "surer than it is right" if found.low > 0 else "less sure than it is right" if found.high < 0 else (
            "about as sure as it is right")  # fmt: skip
        words.append(
            f"{stage.name} is {told}: {spoken(found.sure) or percent(found.confidence)} sure, "
            f"{points(found.gap)} points off its accuracy "
            f"({points(found.low)} to {points(found.high)}, {found.questions:,} questions)."
        )
    return words


def unread_table(stages: Sequence[Stage]) -> Table:
    """Answers that could not be read, by reason; nothing where all could."""
    reasons = sorted({reason for stage in stages for reason in stage.unread})
    rows = [[plain(reason), *(f"{stage.unread.get(reason, 0):,}" for stage in stages)] for reason in reasons]
    shares = [
        ["of all", *(f"{percent(1 - one.valid_share)} ({percent(1 - one.valid_high)} to {percent(1 - one.valid_low)})"
                     for one in stages)],
        ["answers", *(size_of(one.valid) for one in stages)],
    ]  # fmt: skip
    return ["", *(stage.name for stage in stages)], [*rows, *(shares if rows else [])]


def ruled_table(stages: Sequence[Stage]) -> Table:
    """The share of answers that are the committee's, on held-out questions that it ruled on."""
    rows = [[stage.name, spoken(found), size_of(found)] for stage in stages if (found := stage.as_ruled)]
    return ["stage", "as the committee", "answers"], rows


def contamination_words(found: Contamination) -> str:
    """How many held-out questions had been taught, in a sentence."""
    first = f" First: {', '.join(f'{held} as {taught}' for held, taught in found.first)}." if found.first else ""
    return (
        f"{found.same:,} of {found.held_out:,} held-out questions are among the {found.taught:,} that were taught, "
        f"{found.near:,} are nearly the same as one (at least {percent(found.threshold, 0)} of their runs of words)."
        f"{first}"
    )


def _commonest(found: Mapping[str, Estimate]) -> str:
    return next((f"{plain(name)}: {spoken(one)}" for name, one in found.items() if name != "chance"), "")
