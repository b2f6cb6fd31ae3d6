"""Expressions compared by math-verify in processes that may be killed: three outcomes, and none depends on the load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from blocks import equivalence
from blocks.equivalence import Judge
from nightschool.errors import WorldError

TOWER = "9^{9^{9^9}}"


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    judge = Judge(workers=2, cpu_s=1.0)
    yield judge
    judge.close()


def children() -> list[psutil.Process]:
    alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "equivalence_worker" in " ".join(one.cmdline())]


def test_what_takes_mathematics_to_tell(judge: Judge) -> None:
    same = [("x+1", "1+x"), ("\\frac{1}{3}", "0.333333"), ("\\sqrt{8}", "2\\sqrt{2}"), ("\\{1,2\\}", "\\{2,1\\}")]
    different = [("x+1", "x-1"), ("(1,2)", "[1,2]"), ("\\sqrt{2}", "2"), ("5", "\\frac{1}{"), ("5", "}{")]
    found = judge.rule([*same, *different])
    assert [found[pair] for pair in same] == ["same"] * len(same)
    assert [found[pair] for pair in different] == ["different"] * len(different)


def test_a_pair_that_takes_too_long_is_told_and_the_others_get_their_verdicts(judge: Judge) -> None:
    deep = "(" * 60 + "x" + ")" * 60
    ordinary = [(f"{n}+x", f"x+{n}") for n in range(40)]
    found = judge.rule([("x", deep), ("5", TOWER), *ordinary])
    assert {found["x", deep], found["5", TOWER]} <= {"timeout", "memory", "crash"}
    assert [found[pair] for pair in ordinary] == ["same"] * 40


def test_a_truth_that_is_no_expression_can_not_be_judged(judge: Judge) -> None:
    assert judge.rule([("4:30p..", "5")]) == {("4:30p..", "5"): "unreadable"}


def test_nothing_of_an_answer_is_evaluated(judge: Judge, tmp_path: Path) -> None:
    for code in ("__import__('os').mkdir('{}/x')", "exec(open('{}/x','w'))", "\\text{{os.mkdir('{}/x')}}"):
        judge.rule([("5", code.format(tmp_path))])
    assert not list(tmp_path.iterdir())


def test_a_worker_that_is_killed_is_replaced(judge: Judge) -> None:
    assert judge.rule([("y+1", "1+y")]) == {("y+1", "1+y"): "same"}
    for worker in children():
        worker.kill()
    pairs = [(f"{n}+y", f"y+{n}") for n in range(50)]
    found = judge.rule(pairs)
    # What was asked of a dead worker crashed with it; the rest was asked of its successor.
    assert set(found.values()) <= {"same", "crash"}
    assert list(found.values()).count("crash") <= 2
    assert judge.rule([("z+1", "1+z")]) == {("z+1", "1+z"): "same"}


def test_a_verdict_does_not_depend_on_who_else_uses_the_machine() -> None:
    wide = "+".join(f"x^{{{n}}}" for n in range(12))
    pairs = [(wide, "+".join(f"x^{{{n}}}" for n in reversed(range(12)))), ("x", "(" * 60 + "x" + ")" * 60)]
    quiet = Judge(workers=1, cpu_s=1.0)
    before = quiet.rule(pairs)
    quiet.close()
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        busy = Judge(workers=1, cpu_s=1.0)
        assert busy.rule(pairs) == before
        busy.close()
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    assert [before[pair] for pair in pairs] == ["same", "timeout"]


def test_each_pair_is_asked_once_and_workers_end_with_the_judge() -> None:
    own = Judge(workers=1)
    earlier = {one.pid for one in children()}
    assert own.rule([("a+b", "b+a")] * 3) == {("a+b", "b+a"): "same"}
    started = [one for one in children() if one.pid not in earlier]
    own.close()
    assert not psutil.wait_procs(started, timeout=120)[1]
    # Answered from memory: no worker is left that could.
    assert own.rule([("a+b", "b+a")]) == {("a+b", "b+a"): "same"}
    assert {one.pid for one in children()} <= earlier


def test_a_worker_that_does_not_start_is_the_worlds_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equivalence, "_WORKER", equivalence._WORKER.with_name("no_such_worker.py"))
    with pytest.raises(WorldError, match="does not start"):
        Judge(workers=1).rule([("a", "b")])
