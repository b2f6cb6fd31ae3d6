"""Progress: plain lines that are few, bars on a terminal, and tables that say what happened."""

import io
import itertools
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from blocks.preflight.check import Check
from flows.cli import live
from flows.cli.live import line, progress_shown
from flows.cli.tables import checks_table, failures_table, plan_table
from tasks import progress
from tasks.failures import Loss
from tasks.pace import Pace
from tasks.plan import PhasePlan
from tasks.progress import Event
from tasks.reuse import Verdict

EVENT = Event(
    phase="answers", done=120, total=400, chunks_done=3, chunks_total=8, cached=2, failed=0, note="", seconds=41.0,
    eta_s=80.0, finished=False,
)  # fmt: skip


def shown(*events: Event, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=140)
    with progress_shown(console):
        for event in events:
            for listener in list(progress._listeners):
                listener(event)
    assert not progress._listeners
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (EVENT, "answers     120/400, 3/8 chunks, 2 cached, 41.0 s, about 1 min 20 s to go"),
        (replace(EVENT, eta_s=None, failed=1), "answers     120/400, 3/8 chunks, 2 cached, 1 failed, 41.0 s"),
        (replace(EVENT, finished=True, done=400), "answers     400/400, 3/8 chunks, 2 cached, done in 41.0 s"),
        (
            replace(EVENT, eta_s=None, pace=Pace(9.81, 1240.0, 64, 64, 3, 0, ())),
            "answers     120/400, 3/8 chunks, 2 cached, 41.0 s, 9.8 req/s, 1,240 tok/s, 64 in flight, 3 retries",
        ),
        (
            replace(EVENT, finished=True, gaps=True),
            "answers     120/400, 3/8 chunks, 2 cached, NOT complete after 41.0 s",
        ),
        (
            Event("serve", 0, 0, 0, 0, 0, 0, "alba\nis loading", 5.0, None, False),
            "serve       5.0 s, alba is loading",
        ),
    ],
)
def test_a_line_says_how_far_and_how_long(event: Event, text: str) -> None:
    assert line(event) == text


def test_lines_are_few_but_every_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FIRST_LINE_S", 3600.0)
    lines = shown(*[EVENT] * 50, replace(EVENT, finished=True), replace(EVENT, phase="sft", finished=True)).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("answers")
    assert "done in" in lines[1]
    assert lines[2].startswith("sft")


def test_lines_of_a_long_phase_come_ever_more_seldom_and_a_failure_is_told_at_once() -> None:
    rhythm = live._Rhythm()
    told = [second for second in range(3600) if rhythm.is_due(replace(EVENT, failed=int(second >= 2000)), second)]
    gaps = [after - before for before, after in itertools.pairwise(told)]
    assert gaps[0] <= 5
    assert gaps[:9] == sorted(gaps[:9])
    assert max(gaps) == 60
    assert 2000 in told
    assert len(told) < 90
    assert rhythm.is_due(replace(EVENT, finished=True), 3600)
    assert not rhythm.is_due(replace(EVENT, phase="sft"), 3602)
    assert rhythm.is_due(replace(EVENT, phase="sft"), 3604), "the next phase begins with a short time"


def test_a_server_that_died_is_told_whenever_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_FIRST_LINE_S", 3600.0)
    text = shown(EVENT, EVENT, replace(EVENT, urgent=True, note="alba-0 ended; starts again in 1 s"), EVENT)
    assert [line.rpartition(", ")[2] for line in text.splitlines()][1:] == ["alba-0 ended; starts again in 1 s"]


def test_bars_end_full_and_show_markup_as_it_is() -> None:
    text = shown(EVENT, replace(EVENT, note="[red]x[/red]", finished=True), terminal=True)
    assert "answers" in text
    assert "41.0 s" in text
    assert "[red]x[/red]" in text


def test_a_command_that_a_person_needs_is_shown_whole_above_the_bars() -> None:
    told = "20 rows wait for a person: nightschool review strategyqa --store /a/place/far/down/there/runs"
    text = shown(EVENT, replace(EVENT, phase="people", urgent=True, note=told), terminal=True)
    assert told in " ".join(text.split())


def test_a_long_note_is_cut_and_nothing_else() -> None:
    text = shown(EVENT, replace(EVENT, urgent=True, note="alba-0 ended; " + "word " * 60), terminal=True)
    last = [line for line in text.splitlines() if "alba-0 ended; word" in line][-1]
    assert "answers" in last
    assert "3/8 chunks" in last
    assert "…" in last


def test_a_phase_that_comes_again_gets_a_bar_of_its_own() -> None:
    serve = Event("serve", 0, 0, 0, 0, 0, 0, "teachers", 5.0, None, False)
    again = replace(serve, note="student")
    text = shown(serve, replace(serve, finished=True), again, replace(again, finished=True), terminal=True)
    last = text.rsplit("\x1b[1A", 1)[-1] if "\x1b[1A" in text else text
    assert "student" in last
    assert text.count("teachers") >= 1


def rendered(table: object) -> str:
    console = Console(file=io.StringIO(), width=140)
    console.print(table)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_the_plan_adds_up() -> None:
    answers = Verdict("answers", "redo", 8, 2, "prompts/[new] answers.txt changed")
    phases = [PhasePlan(answers, 600, 90_000, 80.4), PhasePlan(Verdict("committee", "make", 1, 0), 0, 0, None)]
    text = rendered(plan_table(phases, Check("memory", "ok", "plenty"), None))
    assert "answers -> committee" in text
    assert "~1 min 20 s" in text
    assert "unknown" in text
    assert "prompts/[new] answers.txt changed" in text
    assert any(line.split()[:4] == ["answers", "redo", "6", "of"] for line in text.splitlines())
    assert any(line.split()[:6] == ["in", "all", "make", "7", "600", "90,000"] for line in text.splitlines())


def test_failures_are_counted_and_the_first_shown() -> None:
    failed = Loss("answers", 3, "q1", "series", "no_reply", True, 5, "5 attempts on alba", "[reset] by peer")
    judged = Loss("answers", 3, "q2", "series", "not_json", False, 1, "", "Well...")
    text = rendered(failures_table("friday", [*[judged] * 30, failed], " --store there"))
    assert [line.split() for line in text.splitlines()[1:3]] == [
        ["answers", "not_json", "30", "judged"],
        ["answers", "no_reply", "1", "no", "reply"],
    ]
    assert text.index("[reset] by peer") < text.index("Well...")
    assert "11 more rows: --json lists them all." in text
    assert "nightschool rerun friday --failed --store there" in text


def test_checks_say_how_to_mend() -> None:
    text = rendered(checks_table([Check("disk", "fail", "1 GiB free", "free some"), Check("store", "ok", "runs")]))
    assert "FAIL disk: 1 GiB free\n     mend: free some\nok   store: runs" in text


def test_a_reader_who_goes_away_ends_nothing() -> None:
    code = "from flows.cli.output import say\nimport time\nfor _ in range(3): say.print('x' * 100)\nprint('whole')"
    command = [sys.executable, "-c", code]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=write, text=True, timeout=60, check=False)
    os.close(write)
    assert (done.stdout, done.returncode) == ("whole\n", 0)
