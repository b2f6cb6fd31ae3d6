"""One problem put to an ensemble: round by round, all models side by side, until it is sure or its time is over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from blocks.client import client
from blocks.earlier import earlier
from blocks.fleet import outlast
from blocks.journal import Journal
from nightschool import predict
from nightschool.answers import flaw_open
from nightschool.categories import Category, category_of
from nightschool.chunks import Chunk
from nightschool.errors import DataError, OutOfTime, WorldError
from nightschool.predict import Predicted, Sampled
from nightschool.recipe import predict as ensemble
from nightschool.recipe.predict import Predict, Voter
from nightschool.records import Dropped, Question
from nightschool.stopwatch import Pace, worth_asking
from nightschool.wire import Ask, Endpoint
from tasks import fitting
from tasks.asking import Asked, Uncounted
from tasks.drafting import DRAFT, Drafting
from tasks.night import Night
from tasks.spending import accounted
from tasks.step import Made, Served

# Why a voter was not heard: its reply did not come in time; it was not asked, as it takes longer; it does not answer.
LATE, NO_TIME, SILENT = "late", "no_time", "no_answer"

# A model that does not answer is left alone for so long, and twice as long each time that it still does not.
_REST_S, _MOST_DOUBLED = 30.0, 5


def solve(
    night: Night,
    chunk: Chunk,
    problem: Question,
    served: Served,
    *,
    satisfied: Callable[[Predicted], bool],
    within_s: float | None,
) -> Made:
    """What the ensemble says of a problem; what it asks is on file the moment that it comes.

    Args:
        satisfied: whether no further round is needed.
        within_s: seconds for it; None = as long as it takes.

    Raises:
        WorldError: no model answers, for another reason than time.
    """
    began = time.monotonic()
    solving = _Solving(night, chunk, problem, served, None if within_s is None else began + within_s)
    row = solving.run(satisfied)
    figures: Counter[str] = Counter()
    for asked in (*solving.asked, *solving.drafted):
        figures.update(asked.figures)
    # What was not heard is told by voter, and is no gap: an answer there is all the same.
    return Made([row], solving.lost(), {**figures, "failed": 0, "thought_s": time.monotonic() - began})


@dataclass
class _Watched:
    """What this process has seen of a night's models: how long they take, and who does not answer."""

    paces: dict[str, Pace] = field(default_factory=dict)
    silences: Counter[str] = field(default_factory=Counter)
    resting: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def silent(self, model: str) -> None:
        """It does not answer."""
        rest_s = _REST_S * 2 ** min(self.silences[model], _MOST_DOUBLED)
        self.silences[model] += 1
        self.resting[model] = time.monotonic() + rest_s

    def answered(self, model: str, seconds: Sequence[float]) -> None:
        """It does, and took so long for each."""
        self.silences.pop(model, None)
        for each in seconds:
            self.paces.setdefault(model, Pace()).replied(each)


class _Solving:
    def __init__(self, night: Night, chunk: Chunk, problem: Question, served: Served, until: float | None) -> None:
        assert night.recipe.predict is not None
        self._section: Predict = night.recipe.predict
        self._night, self._problem, self._served, self._until = night, problem, served, until
        self._voters = ensemble.voters(night.recipe)
        self._category: Category = category_of(problem.question, problem.topic)
        self._watched: _Watched = night.once("what is seen of the ensemble", _Watched)
        self._heard: dict[str, list[Sampled]] = {voter.name: [] for voter in self._voters}
        self._unheard: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self.asked: list[Asked] = []
        ids = [self._id(voter, number) for voter in self._voters for number in range(self._section.rounds)]
        ids += [self._draft_id(model) for model in dict.fromkeys(voter.model for voter in self._voters)]
        self._journal = Journal(night.store.journal(chunk), earlier(night.store.earlier(chunk)).of(ids))
        self._drafting = Drafting(night, problem, served, self._journal, self._draft_id, until)

    def run(self, satisfied: Callable[[Predicted], bool]) -> Predicted:
        row = self._row(0)
        with self._journal:
            for number in range(self._section.rounds):
                self._round(number)
                self._journal.check()
                row = self._row(number + 1)
                if satisfied(row) or self._over():
                    break
        if not row.heard and set(self._unheard.values()) == {SILENT}:
            raise WorldError("\n".join(["no model of the ensemble answers", *dict.fromkeys(self._words.values())]))
        return row

    @property
    def drafted(self) -> list[Asked]:
        """What was asked for first, for those who are shown it."""
        return self._drafting.asked

    def lost(self) -> list[tuple[str, Dropped]]:
        """Voters that were not heard, as rows that may be asked again."""
        found: list[tuple[str, Dropped]] = []
        for name, reason in self._unheard.items():
            row = Dropped(id=f"{self._problem.id}/{name}", topic=self._category, reason=reason, failed=True)
            found.append((reason, row.model_copy(update={"detail": self._words.get(name, "")})))
        return found

    def _round(self, number: int) -> None:
        models = list(dict.fromkeys(voter.model for voter in self._voters))
        left_s = None if self._until is None else self._until - time.monotonic()
        up = [name for name in models if name in self._served and self._watched.resting.get(name, 0) < time.monotonic()]
        worth = worth_asking(up, self._watched.paces, within_s=left_s, fast=self._section.budget.fast)

        def ask(model: str) -> None:
            self._ask(model, number, why="" if model in worth else NO_TIME if model in up else SILENT)

        with ThreadPoolExecutor(len(models)) as pool:
            list(pool.map(ask, models))

    def _ask(self, model: str, number: int, *, why: str) -> None:
        """One model under all its templates; `why` it is not asked, and then only what is on file counts."""
        began = time.monotonic()
        draft = self._drafting.of(model, ask=not why)
        asks = {self._ask_of(voter, number, draft): voter for voter in self._voters if voter.model == model}
        endpoint = self._served.get(model) or Endpoint(model=model, urls=())
        with accounted(self._night, model, endpoint) as paid:
            asked = Asked(paid, self._journal, Uncounted())
            asked.expect(asks, flaw_open)
            if why:
                list(asked.to_ask())
            else:
                why = self._put(model, asked, paid, began)
        with self._watched.lock:
            self.asked.append(asked)
            for ask, voter in asks.items():
                self._hear(voter, asked, ask, why)

    def _put(self, model: str, asked: Asked, endpoint: Endpoint, began: float) -> str:
        """Asks what is not on file; why a reply is missing, if one is. `began`: before its draft was asked for."""
        drafted_s = time.monotonic() - began

        def put() -> None:
            client().ask_all(endpoint, asked.to_ask(), asked.keep, asked.give_up, until=self._until)

        try:
            if self._until is None:
                outlast(endpoint, put)
            else:
                put()
        except OutOfTime:
            with self._watched.lock:
                self._watched.paces.setdefault(model, Pace()).was_late(time.monotonic() - began)
            return LATE
        except (WorldError, DataError) as error:
            self._journal.check()
            with self._watched.lock:
                self._watched.silent(model)
                self._words |= {voter.name: str(error)[:500] for voter in self._voters if voter.model == model}
        else:
            with self._watched.lock:
                self._watched.answered(model, [drafted_s + reply.latency_s for reply in asked.replies.values()])
        return SILENT

    def _hear(self, voter: Voter, asked: Asked, ask: Ask, why: str) -> None:
        section, reply = self._night.recipe.answers, asked.replies.get(ask.id)
        if reply is None:
            self._unheard[voter.name] = why
            if lost := asked.failed.get(ask.id):
                self._words[voter.name] = f"{lost.reason}: {lost.text[:300]}"
            return
        stated, bounds = self._night.recipe.committee.confidence == "stated", self._section.bounds
        found = predict.read(reply, kind=section.kind, fallback=section.fallback, bounds=bounds, stated=stated)
        self._heard[voter.name] += found

    def _row(self, rounds: int) -> Predicted:
        heard = {name: tuple(said) for name, said in self._heard.items() if said}
        values, kind = predict.values_of(heard), self._night.recipe.answers.kind
        return Predicted(
            id=self._problem.id,
            question=self._problem.question,
            category=self._category,
            heard=heard,
            names=fitting.names(values, kind),
            checked=fitting.fitting(self._problem.question, values, kind) if self._section.verify else {},
            unheard=dict(self._unheard),
            rounds=rounds,
        )

    def _ask_of(self, voter: Voter, number: int, draft: str | None) -> Ask:
        recipe, section = self._night.recipe, self._section
        sampling = recipe.answers.sampling.model_copy(update={"logprobs": recipe.committee.confidence == "logprobs"})
        return predict.ask(
            self._problem,
            row_id=self._id(voter, number),
            prompt=section.templates[voter.template],
            category=self._category,
            examples=section.examples.get(self._category, ())[: section.shots],
            sampling=sampling,
            seed=recipe.seed,
            draft=draft,
        )

    def _id(self, voter: Voter, number: int) -> str:
        """Says who is asked, so that a reply is good in any ensemble that asks the same of the same model."""
        return f"{self._problem.id}/{self._night.keys.asks[f'predict/{voter.model}']}/{voter.template}/{number}"

    def _draft_id(self, model: str) -> str:
        """By who is shown it: a stage's name in the store tells who drafts for it, and how."""
        return f"{self._problem.id}/{self._night.keys.asks[f'predict/{model}']}/{DRAFT}"

    def _over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until
