"""From a recipe to what its night will ask at most: chunks, requests and tokens per phase, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from nightschool.arena_keys import prompt_of, sampling_of
from nightschool.prompts import Prompt
from nightschool.recipe import predict as ensemble
from nightschool.recipe.arena import Arena, met, players_of, voters, writers
from nightschool.recipe.phases import Asking, Pairs
from nightschool.recipe.quality import Quality, judges_of
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.stages import Learner
from nightschool.recipe.timing import timed
from nightschool.timing import passes
from nightschool.tinymodels import spec

# Characters per token of English text; and what a question adds to its prompt, in tokens. Rough by nature: replies
# vary more than either.
_CHARS_PER_TOKEN = 4
_QUESTION_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Forecast:
    """One phase ahead: `requests` and `tokens` (in and out together) are upper bounds, and so is `trained`, the rows
    of all its trainings, each as often as it is seen."""

    phase: str
    chunks: int
    requests: int = 0
    tokens: int = 0
    trained: float = 0.0

    @property
    def units(self) -> float:
        """What its time goes by: rows trained on, else tokens, else chunks."""
        return self.trained or self.tokens or self.chunks


def forecast(recipe: Recipe) -> Iterator[Forecast]:
    """Every phase that the recipe runs, in order."""
    teachers, topics = len(recipe.teachers), len(recipe.topics)
    if recipe.school:
        yield Forecast("school", len(spec.runs(recipe.school)))
    if recipe.questions:
        rows = recipe.questions.per_topic * topics
        yield _asked("questions", recipe.questions, recipe.questions.prompt, rows, teachers)
    yield Forecast("pool", 1)
    wanted = recipe.pool.asked or (recipe.pool.per_topic or 0) * topics
    # A quarter more: questions that the solver rejects are asked too, to see whether votes alone would notice.
    asked = wanted * (5 if recipe.questions else 4) // 4
    yield _asked("answers", recipe.answers, recipe.answers.prompt, asked, teachers, recipe.answers.samples)
    runs = ceil(asked / recipe.answers.chunk_rows)
    if recipe.answers.reply == "text":
        yield Forecast("merge", runs)
    if recipe.rules:
        yield from _choosing(recipe, runs if recipe.answers.reply == "text" else 1)
    if recipe.critique:
        yield Forecast("critique", runs)
    if recipe.learner:
        yield from _learning(recipe, recipe.learner, wanted)
    if recipe.arena:
        yield from _played(recipe, recipe.arena)
    if recipe.quality:
        yield _judged(recipe, recipe.quality)
    if recipe.package and recipe.learner:
        yield Forecast("package", len(recipe.package.names(recipe.learner.stages)))
    yield from _predicting(recipe)


def _predicting(recipe: Recipe) -> Iterator[Forecast]:
    """A chunk for each problem, which every voter is asked in every round."""
    section, problems = recipe.predict, ensemble.source(recipe)
    if section is None or problems.file is None:
        return
    count = min(problems.file.rows, problems.limit or problems.file.rows)
    drafts = sum(_turns(recipe, name) - 1 for name in ensemble.models(recipe))
    requests = count * (len(ensemble.voters(recipe)) * section.rounds + drafts)
    prompts = [_tokens(prompt) for prompt in section.templates.values()]
    each = max(prompts) + recipe.answers.samples * recipe.answers.max_tokens
    yield Forecast("predict", count, requests, requests * each)
    yield Forecast("submission", 1)


def _choosing(recipe: Recipe, ruled: int) -> Iterator[Forecast]:
    """What rules on rows and chooses among them; filters and splits go chunk by chunk."""
    yield Forecast("committee", ruled)
    if recipe.review:
        yield Forecast("review", 1)
    yield from (Forecast(name, ruled + bool(recipe.review)) for name in ("filters", "splits") if getattr(recipe, name))
    if recipe.balance:
        yield Forecast("balance", 1)


def _learning(recipe: Recipe, learner: Learner, wanted: int) -> Iterator[Forecast]:
    student, section = learner.student, learner.validate
    if drafters := {stage.draft_of for stage in learner.stages if stage.draft_of}:
        yield _drafted(recipe, learner, len(drafters), wanted)
    rows = min(wanted, (recipe.balance and recipe.balance.max_rows) or wanted)
    yield Forecast("sft", len(recipe.sft), trained=_seen(learner, "sft", rows))
    if recipe.pairs and recipe.dpo:
        yield _paired(recipe.pairs, learner, rows)
        trained = _seen(learner, "dpo", rows) * recipe.pairs.per_question
        yield Forecast("dpo", sum(stage.kind == "dpo" for stage in learner.stages), trained=trained)
    each = _tokens(student.prompt) + student.max_tokens
    gates = sum(bool(stage.gate) for stage in learner.stages)
    if loops := sum(stage.kind == "rounds" for stage in learner.stages):
        asked = gates * _held_out(recipe, learner, wanted, "validation")
        yield Forecast("rounds", gates + loops, asked, asked * each)
    rows = _held_out(recipe, learner, wanted, section.side)
    requests = rows * len(learner.measured)
    yield Forecast("validate", ceil(rows / section.chunk_rows) * len(learner.measured), requests, requests * each)
    yield _timed(recipe, learner, rows, each)
    if recipe.ablate:
        times = len(recipe.ablate.of(learner.stages, learner.measured)) * len(recipe.ablate.variants)
        yield Forecast("ablate", ceil(rows / section.chunk_rows) * times, rows * times, rows * times * each)
        if recipe.ablate.attribution:
            yield Forecast("attribute", times // len(recipe.ablate.variants))


def _played(recipe: Recipe, section: Arena) -> Iterator[Forecast]:
    """What players write, and what they and the voters answer if every question is valid."""
    assert recipe.questions is not None
    players, voting = players_of(recipe), voters(recipe)
    rows = section.per_topic * len(recipe.topics)
    authors, runs = writers(players), ceil(rows / section.chunk_rows)
    tokens = sum(_tokens(prompt_of(recipe, name, "questions")) + recipe.questions.max_tokens for name in authors)
    yield Forecast("challenges", runs * len(authors), rows * len(authors), rows * tokens)
    put = {name: rows * len(met(players, name) or authors) for name in (*(one.answers for one in players), *voting)}
    each = {
        name: _tokens(prompt_of(recipe, name, "answers")) + sampling_of(recipe, name, "answers").max_tokens
        for name in put
    }
    chunks = sum(ceil(count / section.chunk_rows) for count in put.values())
    asked = {name: count * _turns(recipe, name) for name, count in put.items()}
    yield Forecast("arena", chunks, sum(asked.values()), sum(asked[name] * each[name] for name in put))


def _judged(recipe: Recipe, section: Quality) -> Forecast:
    """Every pair in both orders, by every judge."""
    assert recipe.questions is not None
    per_topic = recipe.arena.per_topic if recipe.arena else recipe.questions.per_topic
    rows = 2 * len(section.compare) * min(section.pairs, per_topic * len(recipe.topics))
    count, each = len(judges_of(recipe)), _tokens(section.prompt) + _QUESTION_TOKENS + section.max_tokens
    return Forecast("quality", count * ceil(rows / section.chunk_rows), count * rows, count * rows * each)


def _timed(recipe: Recipe, learner: Learner, rows: int, each: int) -> Forecast:
    """Answers, and questions where they are timed too; a contest has them asked again, and by others."""
    section, requests, tokens = learner.validate, 0, 0
    for kind, stage in timed(learner).items():
        terms = section.contest.terms(kind) if section.contest else None
        if kind == "questions" and terms and recipe.questions:
            rows = terms.rows + section.timed
            each = _tokens(learner.stage(stage).prompts[kind]) + recipe.questions.max_tokens
        asked = sum(one.rows for one in passes(rows, timed=section.timed, terms=terms))
        asked *= _turns(recipe, stage) if kind == "answers" else 1
        requests, tokens = requests + asked, tokens + asked * each
    return Forecast("timing", len(timed(learner)), requests, tokens)


def _paired(section: Pairs, learner: Learner, rows: int) -> Forecast:
    """Of every stage that learns to answer; teachers' solutions are there already."""
    drafted = [stage.section for stage in learner.stages if stage.kind == "dpo" and stage.answers]
    asked = [
        _asked("pairs", section, learner.student.prompt, min(rows, one.questions or rows), 1, section.samples)
        for one in drafted
    ]
    chunks = sum(one.chunks for one in asked)
    if section.rejected == "teacher":
        return Forecast("pairs", chunks)
    return Forecast("pairs", chunks, sum(one.requests for one in asked), sum(one.tokens for one in asked))


def _seen(learner: Learner, kind: str, rows: int) -> float:
    """Rows that the trainings of a kind see."""
    sections = [stage.section for stage in learner.stages if stage.kind == kind]
    return sum(min(rows, one.questions or rows) * one.epochs for one in sections)


def _drafted(recipe: Recipe, learner: Learner, drafters: int, wanted: int) -> Forecast:
    """One draft of every question that is taught or asked."""
    section, student = learner.validate, learner.student
    rows = wanted + sum(_held_out(recipe, learner, wanted, side) for side in ("test", "validation"))
    chunks = ceil(rows / section.chunk_rows) * drafters
    each = _tokens(student.prompt) + student.max_tokens
    return Forecast("drafts", chunks, rows * drafters, rows * drafters * each)


def _turns(recipe: Recipe, name: str) -> int:
    """Requests for an answer: two where a draft is asked for first."""
    return 2 if recipe.learner and recipe.learner.draft_of(name) else 1


def _held_out(recipe: Recipe, learner: Learner, wanted: int, side: str) -> int:
    """Rows that one stage is measured on."""
    section = learner.validate
    share = getattr(recipe.splits, side, 0)
    held = section.per_topic * len(recipe.topics) if section.per_topic else round(wanted * share)
    return min(held, section.limit or held) * len(section.seeds)


def _asked(phase: str, section: Asking, prompt: Prompt, rows: int, models: int, samples: int = 1) -> Forecast:
    chunks = ceil(rows / section.chunk_rows) * models
    each = _tokens(prompt) + samples * section.max_tokens
    return Forecast(phase, chunks, rows * models, rows * models * each)


def _tokens(prompt: Prompt) -> int:
    return len((prompt.system or "") + prompt.user) // _CHARS_PER_TOKEN + _QUESTION_TOKENS
