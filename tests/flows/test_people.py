"""The night waits for people: through Prefect's form, through the terminal, until its time is up."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from pydantic import create_model

from blocks.decisions import Decisions
from flows import people
from flows.review_form import GO_ON, REJECT, SKIP, described, escaped, fields
from nightschool.errors import WorldError
from nightschool.review import Case
from tasks import review
from tasks.ledger import Ledger
from tasks.night import Night
from tasks.sitting import Sitting
from tests.half_night import Make
from tests.nightschool.review_cases import case, free
from tests.tasks.conftest import fill, serving
from tests.tasks.test_review import OPEN, OPEN_TIES, leave_open

harness = pytest.mark.usefixtures("prefect_harness")


@pytest.fixture
def night(make: Make, monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setattr(people, "_LOOK_EVERY_S", 0.05)
    found = make(OPEN_TIES, "review=wait")
    with serving() as served:
        fill(found, served, "questions", "pool", "answers", "committee")
    leave_open(found, OPEN)
    return found


class Person(threading.Thread):
    """Somebody at Prefect's page, who fills in one form after the other; what it showed is in `seen`."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.run_id: UUID | None = None
        self.seen: list[str] = []
        self.refused: list[str] = []
        self._answers = answers

    def run(self) -> None:
        with get_client(sync_client=True) as client:
            before = None
            for answer in self._answers:
                keys = self._await(client, before)
                before = keys
                assert self.run_id
                self.seen.append(orjson.loads(client.read_flow_run_input(self.run_id, keys["description"])))
                filled = {"reasoning": "", "who": "ada", **answer}
                result = client.resume_flow_run(self.run_id, run_input=filled)
                if result.status.value != "ACCEPT":
                    self.refused.append(str(result.details))

    def _await(self, client: Any, before: Any) -> dict[str, str]:
        """The keys under which the form lies, once another one is up."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            state = client.read_flow_run(self.run_id).state if self.run_id else None
            keys = state.state_details.run_input_keyset if state and state.is_paused() else None
            if keys and keys != before and client.read_flow_run(self.run_id).state.is_paused():
                with suppress(httpx.HTTPStatusError):  # it is being put there
                    client.read_flow_run_input(self.run_id, keys["description"])
                    return keys
            time.sleep(0.05)
        raise AssertionError("no form came")


def wait_for(night: Night, person: threading.Thread) -> None:
    @flow(name="waiting")
    def waiting() -> None:
        if isinstance(person, Person):
            person.run_id = UUID(flow_run.get_id())
        person.start()
        people.hear_people(night, Ledger(night.dir))

    waiting()
    person.join(120)
    assert not person.is_alive()


@harness
def test_forms_one_after_the_other_decide_the_rows(night: Night) -> None:
    first, *_ = review.queue(night)
    person = Person(
        {"decision": REJECT, "who": "bob"},
        {"decision": "E"},
        {"decision": "d", "reasoning": "for a reason"},
        {"decision": SKIP},
        {"decision": " Reject"},
        {"decision": REJECT},
    )
    wait_for(night, person)
    assert not person.refused
    assert escaped(first.question.question.split()[0]) in person.seen[0]
    assert "Row 1 of 4" in person.seen[0]
    slip = escaped("Decision: 'E' is not one of A, B, C, D")
    assert f"**Not taken.** {slip}" in person.seen[2]
    assert "Row 4 of 4" in person.seen[5]
    said = [(one.action, one.answer, one.who) for one in Decisions(night.store).read()]
    assert said == [("reject", None, "bob"), ("edit", "D", "ada"), ("reject", None, "ada"), ("reject", None, "ada")]
    assert review.undecided(night) == []
    assert review.fresh(night) == 0


@harness
def test_it_goes_on_without_the_rest_when_told(night: Night) -> None:
    wait_for(night, Person({"decision": REJECT}, {"decision": GO_ON}))
    assert len(review.undecided(night)) == OPEN - 1


@harness
def test_who_decides_in_the_terminal_meanwhile_ends_the_wait_too(night: Night) -> None:
    def sit() -> None:
        sitting = Sitting(night, "ada")
        while sitting.case:
            sitting.decide(None)

    wait_for(night, threading.Thread(target=sit, daemon=True))
    assert review.undecided(night) == []


@harness
def test_a_run_that_is_cancelled_waits_no_longer(night: Night) -> None:
    @flow(name="waiting")
    def waiting() -> None:
        from prefect.states import Cancelled

        run = UUID(flow_run.get_id())

        def cancel() -> None:
            with get_client(sync_client=True) as client:
                while not (state := client.read_flow_run(run).state) or not state.is_paused():
                    time.sleep(0.05)
                client.set_flow_run_state(run, Cancelled(), force=True)

        threading.Thread(target=cancel, daemon=True).start()
        people.hear_people(night, Ledger(night.dir))

    with pytest.raises(WorldError, match="ended in Prefect"):
        waiting()


@harness
def test_its_time_is_up(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(people, "_over", lambda until: next(clock) > 5)
    wait_for(night, threading.Thread(target=lambda: None))
    assert len(review.undecided(night)) == OPEN


HOSTILE = "<img src=x onerror=alert(1)> ![p](http://evil/x.png) [l](javascript:1) www.evil.com\n# big\n> `a` | $x^2$"


def test_what_models_wrote_is_text_in_the_form_and_nothing_else() -> None:
    shown = described(free("integer", **{"al|ba": ("4", HOSTILE)}), place="Row 1 of 1")
    said = shown.partition("4**\n\n")[2]
    assert said.startswith("> \\<img src\\=x")
    assert not re.search(r"(?<!\\)[<!\[\](`#|$:.]", said)
    assert [line[:2] for line in said.splitlines()] == ["> "] * 3


def test_the_form_offers_every_answer_and_has_the_leading_one_filled_in() -> None:
    leads = decision_field(case(alba="A", bruno="A", clara="B"))
    assert leads["default"] == "A"
    assert "(A, B, C, D)" in leads["description"]
    assert "default" not in decision_field(case(alba="A", bruno="B")), "a tie is for a person to turn"


def decision_field(row: Case) -> dict[str, Any]:
    return create_model("Row", **dict[str, Any](fields(row, "ada"))).model_json_schema()["properties"]["decision"]
