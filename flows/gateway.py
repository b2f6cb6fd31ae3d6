"""The ensemble as a contest's evaluation gateway calls it: a function that answers one problem at a time.

    with opened("configs/ensemble.yaml") as ensemble:
        server = kaggle_evaluation.aimo_3_inference_server.AIMO3InferenceServer(ensemble.predict)
        server.serve()

No Prefect: a gateway's machine has no network. What is asked is on file all the same, so a session that was cut off
answers what it had answered without asking anybody.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nightschool.errors import DataError, NightError, RecipeError, Stopped
from nightschool.predict import Predicted
from nightschool.records import Question
from nightschool.sources.mapping import id_of
from nightschool.submission import Submitted
from tasks import predict as predicting
from tasks import progress, submission
from tasks.ensemble import EnsembleDesk
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.predict import chunk_of, make_one, section_of
from tasks.recipes import read_recipe
from tasks.step import Served


@contextmanager
def opened(
    recipe: str, *, profile: str | None = None, sets: Sequence[str] = (), name: str | None = None
) -> Iterator[Contestant]:
    """An ensemble whose models are up; its time for all problems runs from here.

    Args:
        recipe: name of a recipe in configs/, or a path to one; it has a predict section.
        name: the night's name, whose student is asked; the recipe's by default.

    Raises:
        RecipeError: the recipe is not as it must be, or has no predict section.
        WorldError: no model comes up.
    """
    night = Night.plan(read_recipe(recipe, profile=profile, sets=sets), name)
    if night.recipe.predict is None:
        raise RecipeError("the recipe has no such section, so there is nothing to predict", field="predict")
    with night.alone():
        night.begin()
        predicting.begin(night)
        with EnsembleDesk(night, Ledger(night.dir / "predict")) as desk:
            progress.track("serve", note="the ensemble")
            served = desk.served([])
            yield Contestant(night, served, desk.silent)


class Contestant:
    """Answers problems as they come, and keeps what it has handed in as a submission beside the night.

    `silent`: models that did not come up, and why.
    """

    def __init__(self, night: Night, served: Served, silent: Mapping[str, str] | None = None) -> None:
        self.silent = dict(silent or {})
        self._night, self._served = night, served
        self._rows: dict[str, Predicted] = {}
        self._handed_in: dict[str, Submitted] = {}

    def predict(self, id_: Any, problem: Any = None, *_: Any) -> Any:
        """The answers to problems, in the form in which they came; a contest sends one at a time.

        Columns or frames of polars or pandas get a frame with id and answer, ids as they are; plain text gets the
        answer. It never raises for what the world does: a problem without an answer gets the recipe's stand_in.

        Args:
            id_: what the contest calls the problem, or a row that holds both, as columns id and problem.
            problem: its text.
        """
        if "problem" in getattr(id_, "columns", ()):
            id_, problem = id_["id"], id_["problem"]
        names, texts = _values(id_), _values(problem)
        rows = [self.answer(_text(name), _text(text)) for name, text in zip(names, texts, strict=False)]
        answers = [int(row.answer) if row.answer.lstrip("-").isdecimal() else row.answer for row in rows]
        library = sys.modules.get(type(problem).__module__.partition(".")[0])
        frame = getattr(library, "DataFrame", None)
        return answers[0] if frame is None else frame({"id": names[: len(rows)], "answer": answers})

    def answer(self, name: str, text: str) -> Submitted:
        """What is handed in for a problem.

        Raises:
            Stopped: the process was told to end.
        """
        question = _question(name, text)
        try:
            if not text.strip():
                raise DataError("the problem has no text")
            self._rows[question.id] = self._made(question)
            found = submission.decided(self._night, self._rows.values())[question.id]
        except Stopped:
            raise
        except NightError as error:
            progress.notice(f"{name[:80]!r}: {error}", urgent=True)
            stand_in = section_of(self._night).stand_in
            found = Submitted(id=name, answer=stand_in, value=None, by="stand_in", reason="no_answer")
        self._handed_in[name] = found.model_copy(update={"id": name})
        submission.keep(self._night, list(self._handed_in.values()))
        return self._handed_in[name]

    def _made(self, question: Question) -> Predicted:
        """Asked, or found on file."""
        night, served = self._night, len(self._handed_in)
        wanted = section_of(night).budget.problems or served + 1
        chunk = chunk_of(night, question, served, max(wanted, served + 1))
        with night.store.lock(chunk):
            if not night.store.manifest(chunk):
                night.store.reopen(chunk)
                made = make_one(night, chunk, question, self._served, to_come=max(1, wanted - served), at_once=1)
                night.store.commit(chunk, rows=made.rows, dropped=made.dropped, figures=made.figures)
        return night.store.rows(chunk, Predicted)[0]


def _question(name: str, text: str) -> Question:
    return Question(
        id=id_of("", text), topic="", question=text, choices=(), truth=None, key=None, source="gateway",
        check="unchecked", name=name,
    )  # fmt: skip


def _values(given: Any) -> list[Any]:
    """What a column holds, or the only column of a frame; anything else is itself the one value."""
    if len(getattr(given, "columns", ())):
        given = given[given.columns[0]]
    return given.to_list() if hasattr(given, "to_list") else [given]


def _text(value: Any) -> str:
    """As a file and a request can carry it: half a surrogate pair becomes a question mark."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
