"""The terminal view under a person's keys: what is pressed is what is on file."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from blocks.decisions import Decisions
from flows.cli.review_view import ReviewApp
from nightschool.records import Question
from nightschool.review import Case, Voice
from tasks import review
from tasks.night import Night
from tasks.sitting import Sitting
from tests.half_night import Make
from tests.nightschool.review_cases import free, question, ruling
from tests.tasks.conftest import fill, serving
from tests.tasks.test_review import OPEN, leave_open

ROOT = Path(__file__).parents[2]
SETS = ("committee.to_review=[tie]", "review=wait")


def case(asked: Question, **votes: str | None) -> Case:
    voices = tuple(Voice(name, vote, f"{name} thinks {vote}" if vote else "") for name, vote in votes.items())
    return Case(ruling(asked, dict(votes)), voices, "letter")


def rows() -> list[Case]:
    """The first leads to A, the second to nothing, the third to C, each with its own words."""
    votes = [{"alba": "A", "bruno": "A", "clara": "B"}, {"alba": "A", "bruno": "B"}, {"alba": None, "bruno": "C"}]
    return [case(question(f"q{place}"), **cast) for place, cast in enumerate(votes)]


Keys = Callable[[Pilot[None], Sitting], Awaitable[None]]


def sit(night: Night, waiting: list[Case], keys: Keys, size: tuple[int, int] = (80, 24)) -> Sitting:
    night.begin()
    sitting = Sitting(night, "ada", waiting)

    async def run() -> None:
        async with ReviewApp(sitting).run_test(size=size) as pilot:
            await pilot.pause()
            await keys(pilot, sitting)

    asyncio.run(run())
    return sitting


def said(night: Night) -> list[tuple[str, str | None]]:
    return [(one.action, one.answer) for one in Decisions(night.store).read()]


def shown(pilot: Pilot[None], name: str) -> str:
    return str(pilot.app.screen.query_one(name, Static).render())


def test_keys_decide_and_every_decision_is_on_file_before_the_next_row(make: Make) -> None:
    night = make(*SETS)

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        await pilot.press("enter")
        assert said(night) == [("accept", "A")]
        await pilot.press("enter")
        assert "No answer leads" in shown(pilot, "#said")
        await pilot.press("b")
        assert said(night)[1:] == [("choose", "B")]
        await pilot.press("r")
        assert said(night)[2:] == [("reject", None)]
        assert "All rows are decided" in shown(pilot, "#asked")
        await pilot.press("q")

    sit(night, rows(), keys)
    assert [one.reasoning for one in Decisions(night.store).read()] == ["alba thinks A", "bruno thinks B", ""]


def test_undo_goes_back_and_withdraws_and_what_was_skipped_comes_again(make: Make) -> None:
    night = make(*SETS)

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        await pilot.press("u", "enter", "s", "c")
        assert "1 still open" in shown(pilot, "#asked")
        await pilot.press("u", "u", "u")
        assert sitting.case is not None
        assert sitting.case.ruling.id == "q0"
        assert (sitting.left, review.decided(night)) == (3, {})
        await pilot.press("enter", "s", "c", "s")
        assert sitting.case.ruling.id == "q1"
        await pilot.press("a")
        assert (sitting.left, sitting.case) == (0, None)

    sit(night, rows(), keys)
    assert sorted(one.answer or "" for one in review.decided(night).values()) == ["A", "A", "C"]


def test_an_answer_that_nobody_argues_for_needs_words_of_the_persons_own(make: Make) -> None:
    night = make(*SETS)

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        await pilot.press("d")
        await pilot.press("ctrl+s")
        assert "reasoning: no teacher argues for D" in shown(pilot, "#wrong")
        assert said(night) == []
        await pilot.press(*"since 3")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert said(night) == [("edit", "D")]
        await pilot.press("e")
        pilot.app.screen.query_one("#answer", Input).value = "b"
        await pilot.pause()
        assert pilot.app.screen.query_one("#reasoning", TextArea).text == "bruno thinks B"
        await pilot.press("ctrl+s")
        await pilot.pause()
        await pilot.press("e", "escape")
        await pilot.pause()
        await pilot.press("s")
        assert sitting.case is None

    sit(night, rows(), keys)
    assert [(one.answer, one.reasoning) for one in Decisions(night.store).read()] == [
        ("D", "since 3"), ("B", "bruno thinks B"),
    ]  # fmt: skip


def test_what_another_person_decided_meanwhile_is_not_asked(make: Make) -> None:
    night = make(*SETS)

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        other = Sitting(night, "bob", rows())
        other.skip()
        other.decide("A")
        await pilot.press("enter")
        assert sitting.case is not None
        assert sitting.case.ruling.id == "q2"

    sit(night, rows(), keys)


def test_text_of_a_model_acts_neither_on_the_screen_nor_as_markup(make: Make) -> None:
    night = make(*SETS)
    nasty = "[red]X[/red] \x1b[2J\x1b]0;gone\x07 \u202eback [@click=app.quit()]here[/] $(rm)"
    row = free("integer", **{"al[b]ba": ("4", nasty), "bruno": ("[/]5", "so \\boxed{5}")})
    hostile = row.ruling.question.model_copy(update={"question": nasty, "topic": "[b]t"})
    bad = Case(row.ruling.model_copy(update={"question": hostile}), row.voices, "integer")

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        page = pilot.app.export_screenshot()
        assert "[red]X[/red]" in page.replace("&#160;", " ")
        assert not set("\x1b\x07\u202e") & set(page)
        await pilot.press("e", "escape", "s", "q")

    sit(night, [bad], keys)


def test_where_e_is_a_choice_it_chooses_and_w_edits(make: Make) -> None:
    night = make(*SETS)
    five = question().model_copy(update={"choices": tuple("vwxyz")})

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        assert "w\N{NO-BREAK SPACE}edit" in shown(pilot, "#keys")
        await pilot.press("w", "escape")
        assert said(night) == []
        await pilot.press("e")
        assert said(night) == [("choose", "E")]

    sit(night, [case(five, alba="A", bruno="E")], keys)


def test_a_long_question_leaves_its_answers_in_sight_and_can_be_read_to_its_end(make: Make) -> None:
    night = make(*SETS)
    long = question().model_copy(update={"question": "\n".join(f"line {n}" for n in range(60))})

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        asked, choices = (pilot.app.screen.query_one(name) for name in ("#question", "#choices"))
        assert pilot.app.focused is None
        assert choices.region.height >= 4
        assert choices.region.bottom <= 24
        await pilot.press("tab", "end")
        await pilot.pause()
        assert pilot.app.focused is asked
        assert asked.scroll_offset.y == asked.max_scroll_y > 0
        await pilot.press("a")
        assert said(night) == [("accept", "A")]

    sit(night, [case(long, alba="A", bruno="A", clara="B"), *rows()], keys)


@pytest.mark.parametrize("teachers", [2, 3, 7])
@pytest.mark.parametrize("size", [(80, 24), (40, 16), (160, 50)])
def test_it_stands_on_any_terminal(make: Make, teachers: int, size: tuple[int, int]) -> None:
    night = make(*SETS)
    long = case(question(), **{f"teacher{n}": "ABCD"[n % 4] for n in range(teachers)})

    async def keys(pilot: Pilot[None], sitting: Sitting) -> None:
        await pilot.press("tab", "down", "a")
        assert sitting.left == 0

    sit(night, [long], keys, size)


@pytest.mark.integration
def test_the_command_on_a_real_terminal_ends_cleanly_and_loses_nothing(make: Make) -> None:
    night = make(*SETS)
    with serving() as served:
        fill(night, served, "questions", "pool", "answers", "committee")
    leave_open(night, OPEN)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "flows.cli", "review", night.name, "--store", str(night.store.root)]
    env = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*command, "--who", "ada"], stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        screen = _until(ours, b"0 of 4 decided")
        os.write(ours, b"r")
        screen += _until(ours, b"1 of 4 decided")
        os.write(ours, b"\x03")
        screen += _until(ours, None)
        assert process.wait(20) == 0
    os.close(ours)
    assert b"1 decided (1 rejected), 3 wait" in screen
    assert b"Traceback" not in screen
    assert [(one.action, one.who) for one in Decisions(night.store).read()] == [("reject", "ada")]


def _until(terminal: int, words: bytes | None) -> bytes:
    """What came until these words did, or until the other side closed."""
    found, deadline = b"", time.monotonic() + 60
    while words is None or words not in found:
        assert time.monotonic() < deadline, found[-2000:]
        try:
            found += os.read(terminal, 65536)
        except OSError:
            break
    return found
