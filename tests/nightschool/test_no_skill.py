"""A student that always says the same, or nothing, fails every gate that a thinking reader would want it to fail."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple, get_args

import pytest

from nightschool.arena import Fate, fate
from nightschool.challenges import distinct, refused
from nightschool.gates import judge
from nightschool.recipe.arena import Player
from nightschool.recipe.gate import OF_COMMITTEE, Gate, Metric
from nightschool.recipe.timing import Terms, TimedKind
from nightschool.records import Challenge, Dropped, Measured, Question
from nightschool.report.arena import Arena
from nightschool.report.figures import Report
from nightschool.report.matches import measure_arena
from nightschool.report.measure import measure_ablation, measure_latency, measure_stage
from nightschool.report.timed import measure_times
from nightschool.report.times import Times
from nightschool.timing import Timed, passes
from tests.nightschool.example_report import night
from tests.nightschool.example_rows import answered

# The truths of plan 002's test, of which always no is right on 51.5%, and letters as lopsided as plan 000's teachers'.
VERDICTS = ("no",) * 354 + ("yes",) * 333
LETTERS = ("A",) * 136 + ("B",) * 107 + ("C",) * 63 + ("D",) * 38
ABLE, SILENT = "able", "silent"
TERMS = Terms(rows=20, batch_size=5, each_s=9, mean_s=6, total_s=900)


class Wanted(NamedTuple):
    """A gate as somebody would write it, at its softest; who passes it that should not, and why that is no matter."""

    gate: dict[str, Any]
    passed_by: tuple[str, ...] = ()
    why: str = ""


FAST = "a constant answer is an answer, given in time: whether it is right, other gates ask"
WANTED: dict[str, Wanted] = {
    "accuracy": Wanted({"at_least": 0.2}),
    "accuracy_gain": Wanted({"over": "base", "at_least": 0.0}),
    "guessing_gain": Wanted({"at_least": 0.0}),
    "balanced_accuracy": Wanted({"at_least": 0.2}),
    "worst_class_accuracy": Wanted({"at_least": 0.01}),
    "draft_gain": Wanted({"at_least": 0.0}),
    "match_wins": Wanted({"at_least": 0.6}),
    "knockout_wins": Wanted({"at_least": 0.5}),
    "stump_share": Wanted({"at_least": 0.5}),
    "valid_questions": Wanted({"at_least": 0.5}),
    "valid_share": Wanted({"at_least": 0.8}, ("constant",), "its form is right, and form is all that is asked"),
    **{name: Wanted({"at_most": 9.0}, ("constant",), FAST)
       for name in ("latency_mean_s", "latency_p99_s", "ttft_p99_s", "answers_mean_s", "answers_p99_s")},
    "answers_total_s": Wanted({"at_most": 900.0}, ("constant",), FAST),
    "answers_late": Wanted({"at_most": 0.05}, ("constant",), FAST),
    **{name: Wanted({"at_most": 9.0}) for name in ("questions_mean_s", "questions_p99_s")},
    "questions_total_s": Wanted({"at_most": 900.0}),
    "questions_late": Wanted({"at_most": 0.05}),
}  # fmt: skip
# Of teachers and rows; what a judge prefers is not the student's saying either: it reads pairs of questions.
NOT_THE_STUDENTS = {*OF_COMMITTEE, "preference"}


def says(kind: str, truth: str, place: int, common: str) -> str | None:
    """What a student of this kind says of a question."""
    wrong = next(one for one in ("no", "yes", "A", "B") if one != truth and (len(one) > 1) == (len(truth) > 1))
    return {"constant": common, SILENT: None, ABLE: truth if place % 5 else wrong}[kind]


def rows(kind: str, truths: Sequence[str], *, drafts: bool = True) -> list[Measured]:
    """Its answers; without drafts the able one knows less, and the others say what they always say."""
    able = ABLE if drafts else "constant"
    return answered(
        [(truth, says(able if kind == ABLE else kind, truth, n, truths[0])) for n, truth in enumerate(truths)]
    )


def questions(kind: str, count: int = 24) -> list[Challenge]:
    """What a student writes: a new question each time, the same one each time, or none."""
    if kind == SILENT:
        return [refused(Dropped(id=f"{kind}-{n}", topic="t", reason="empty"), kind) for n in range(count)]
    made = []
    for n in range(count):
        text, truth = (f"Question {n}?" if kind != "constant" else "The question?"), "ABCD"[n % 4]
        question = Question.model_validate(
            {"id": "q", "topic": "t", "question": text, "choices": ("1", "2", "3", "4"), "truth": truth, "key": truth,
             "source": kind, "check": "ok"}
        )  # fmt: skip
        made.append(Challenge(id=f"{kind}-{n}", author=kind, topic="t", question=question, flaw=None))
    return made


def arena(kind: str, writes: str) -> Arena:
    """Against a base that writes good questions and answers none, so that whoever says anything takes more points."""
    judged: list[tuple[Challenge, Fate]] = [
        (one, fate(one, {}, quorum=1, min_agreement=0)) for one in distinct([*questions(writes), *questions("base")])
    ]
    said = {one.id: says(kind, found.truth or "A", n, "A") for n, (one, found) in enumerate(judged)}
    base: dict[str, str | None] = dict.fromkeys(said)
    players = [Player(name="sft", writes=writes, answers="sft"), Player(name="base", writes="base", answers="base")]
    return measure_arena(judged, {"sft": said, "base": base}, players, questions=20)


def times(of: TimedKind) -> Times:
    """Quick, whatever it says."""
    order = passes(24, timed=4, terms=TERMS)
    made = [
        Timed(id=f"{one.name}/{n}", of=of, way=one.way, warm=one.warm, batch=n // 5, ttft_s=0.1, itl_s=(), e2el_s=0.1,
              tokens_in=9, tokens_out=1)
        for one in order
        for n in range(one.rows)
    ]  # fmt: skip
    totals = {one.name: 1.0 for one in order}
    return measure_times(of, "sft", order, made, [], totals_s=totals, contest="aaipl", terms=TERMS)


@cache
def report(kind: str, truths: tuple[str, ...], writes: str) -> Report:
    """A night with such a student, by the code that measures every night; its base says nothing."""
    base, sft = rows(SILENT, truths), rows(kind, truths)
    latency = measure_latency([0.1] * 20, [0.1] * 20)
    stages = (measure_stage("base", base), measure_stage("sft", sft, earlier={"base": base}, latency=latency))
    ablation = measure_ablation("sft", "base", sft, {"no_draft": rows(kind, truths, drafts=False)})
    played = arena(kind, writes)
    student = played.player("sft")
    assert student
    others = (one for one in played.players if one is not student)
    played = played.model_copy(update={"players": (student.model_copy(update={"writes": "sft"}), *others)})
    return Report(night=night(), stages=stages, ablations=(ablation,), arena=played,
                  times=(times("answers"), times("questions")))  # fmt: skip


def passed(metric: str, kind: str, truths: tuple[str, ...], **more: Any) -> bool:
    of_player = metric in ("match_wins", "knockout_wins", "stump_share", "valid_questions")
    gate = {"name": "g", "metric": metric, "player" if of_player else "stage": "sft", **WANTED[metric].gate, **more}
    # Who wins by its answers, and not by questions that it did not write.
    writes = ABLE if metric in ("match_wins", "knockout_wins") else kind
    found = judge(Gate.model_validate(gate), report(kind, truths, writes))
    assert found.value is not None, found.detail
    return found.passed


def test_every_metric_is_looked_at() -> None:
    assert {*get_args(Metric)} == WANTED.keys() | NOT_THE_STUDENTS


@pytest.mark.parametrize("truths", [VERDICTS, LETTERS], ids=["verdicts", "letters"])
@pytest.mark.parametrize("metric", WANTED)
def test_who_always_says_the_same_or_nothing_passes_only_what_is_no_matter_of_skill(
    metric: str, truths: tuple[str, ...]
) -> None:
    wanted = WANTED[metric]
    found = {kind for kind in ("constant", SILENT) if passed(metric, kind, truths)}
    assert found == {*wanted.passed_by}, wanted.why
    assert passed(metric, ABLE, truths), "who can do something passes"


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "match_wins", "latency_mean_s"])
def test_a_recipe_may_ask_for_the_bare_figure(metric: str) -> None:
    kind = SILENT if metric == "latency_mean_s" else "constant"
    assert passed(metric, kind, VERDICTS, if_guessed="pass")
