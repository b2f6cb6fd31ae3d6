"""Harms nights of a real Prefect server and worker in mid-phase, in many ways, and tables what became of them.

Every scene starts a night of its own through the worker, waits until it is in the middle of a phase, does harm, and
waits until the night is whole: by itself after a kill or a cut, by a retry as the page sends it after a cancel.
The teachers are scripted servers outside of the nights, which count what they are asked. A scene is clean if the night
ends complete, no row is missing or twice, teachers are asked at most once more per request that was in flight, and no
process of the night that was harmed is left.

    python -m benchmarks.shift_kills [--only WORD]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from benchmarks.night_kills import duplicates, stats
from benchmarks.shift import Shift, shift_in, until
from tasks.ledger import last_run

TEACH = (
    "school=null", "student=null", "questions=null", "balance=null", "sft=[]", "pairs=null", "dpo=[]", "validate=null",
    "package=null", "gates=[]", "pool.per_topic=48", "serve.concurrency=4", "serve.engine=scripted",
)  # fmt: skip
TRAIN = ("sft.epochs=100", "validate.per_topic=4", "pool.per_topic=8")
# Whose rows are one for each request; others make fewer of what they are given.
ASKING = ("questions", "answers", "pairs", "validate", "timing")
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


Harm = Callable[[Shift, str], None]


def kill_night(shift: Shift, run: str) -> None:
    shift.process()[0].kill()


def kill_worker(shift: Shift, run: str) -> None:
    shift.worker().kill()


def kill_both(shift: Shift, run: str) -> None:
    worker, *others = shift.worker(), *shift.process()
    for one in (worker, *others):
        one.kill()


def kill_server(shift: Shift, run: str) -> None:
    shift.server().kill()


def cut(seconds: float, shift: Shift, run: str) -> None:
    shift.proxy.shut()
    time.sleep(seconds)
    shift.proxy.open()


def cancel(shift: Shift, run: str) -> None:
    """As the button of the page does; then as its Retry does, once the night has ended."""
    began = time.monotonic()
    family = shift.process()
    shift.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    until(lambda: all(map(_gone, family)))
    ended = time.monotonic() - began
    until(lambda: shift.state(run)["type"] == "CANCELLED")
    name = shift.ask("GET", f"/flow_runs/{run}")["name"]
    told = last_run(shift.folder / "runs" / "nights" / name).stopped_by
    shift.said.append(f"all its processes ended after {ended:.0f} s, run.json: {told}")
    shift.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}})


@dataclass(frozen=True)
class Scene:
    what: str
    harm: Harm
    sets: tuple[str, ...] = TEACH
    phase: str = "answers"


SCENES = (
    Scene("the night killed", kill_night),
    Scene("the worker killed", kill_worker),
    Scene("worker and night killed at once (as a reboot does)", kill_both),
    Scene("the server killed", kill_server),
    Scene("worker's network cut for 20 s", partial(cut, 20.0)),
    Scene("worker's network cut for 150 s", partial(cut, 150.0)),
    Scene("cancelled in its answers, then Retry", cancel),
    Scene("cancelled in training, then Retry", cancel, TRAIN, "sft"),
    Scene("the night killed in training", kill_night, TRAIN, "sft"),
)


def at_work(shift: Shift, name: str, phase: str) -> bool:
    """Whether the night is in the middle of the phase."""
    found = shift.night(name)
    chunks = [chunk for one in (found.phases if found else ()) if one.phase == phase for chunk in one.chunks]
    done = sum(chunk.rows for chunk in chunks)
    return any(chunk.state == "running" for chunk in chunks) and (phase != "answers" or done > 60)


def play(shift: Shift, scene: Scene, number: int) -> bool:
    name = f"scene-{number}"
    before = counts(shift)
    run = shift.start(name, scene.sets, seed=100 + number)
    until(lambda: at_work(shift, name, scene.phase))
    if scene.phase == "sft":
        time.sleep(5)
    family, moment = shift.process(), time.monotonic()
    scene.harm(shift, run)
    until(lambda: shift.state(run)["type"] == "COMPLETED")
    seconds = time.monotonic() - moment
    seen, twice = (after - now for after, now in zip(counts(shift), before, strict=True))
    faults = _faults(shift, name, family, twice)
    states = [one["name"] for one in shift.ask("GET", f"/flow_run_states/?flow_run_id={run}")]
    way = " > ".join(one for one in states if one not in ("Scheduled", "Pending", "Late"))
    print(f"| {scene.what} | {way} | {seconds:.0f} s | {seen - twice} | {twice} | {'; '.join(faults) or 'clean'} |")
    for line in shift.said:
        print(f"    {line}", file=sys.stderr)
    shift.said.clear()
    sys.stdout.flush()
    return not faults


def _gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def counts(shift: Shift) -> tuple[int, int]:
    """Requests to all teachers by now, and those that came twice."""
    found = [stats(endpoint) for endpoint in shift.endpoints]
    return sum(one["total"] for one in found), sum(one["duplicates"] for one in found)


def _faults(shift: Shift, name: str, family: list[psutil.Process], twice: int) -> list[str]:
    most = sum(stats(endpoint)["most_in_flight"] for endpoint in shift.endpoints)
    found = shift.night(name)
    assert found is not None
    chunks = [chunk for phase in found.phases for chunk in phase.chunks]
    # A run is called completed before its process ends: after a long cut, Prefect still has a minute's events to send.
    ended = time.monotonic() + 120
    while (left := [one for one in family if not _gone(one)]) and time.monotonic() < ended:
        time.sleep(0.2)
    asked = [chunk for phase in found.phases if phase.phase in ASKING for chunk in phase.chunks]
    missing = sum(chunk.failed + max(0, chunk.total - chunk.rows - chunk.dropped) for chunk in asked)
    unmade = [chunk.label for chunk in chunks if chunk.state != "made"]
    faults = [f"{len(left)} processes left"] if left else []
    faults += [f"not made: {', '.join(unmade[:3])}"] if unmade else []
    faults += [f"{missing} rows missing"] if missing else []
    faults += [f"{count} rows twice" for count in [duplicates(shift.folder)] if count]
    return faults + ([f"{twice} asked twice, at most {most} were in flight"] if twice > most else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="scenes with this in their name")
    options = parser.parse_args()
    scenes = [(number, scene) for number, scene in enumerate(SCENES) if options.only in scene.what]
    made = tempfile.TemporaryDirectory(prefix="shift-kills-", ignore_cleanup_errors=True)
    with made as folder, shift_in(Path(folder)) as shift:
        print("| harm | what the run's page shows | night whole after | requests | asked twice | verdict |")
        print("|---|---|---|---|---|---|", flush=True)
        clean = sum(play(shift, scene, number) for number, scene in scenes)
    print(f"{clean} of {len(scenes)} scenes clean")
    return 0 if clean == len(scenes) else 1


if __name__ == "__main__":
    sys.exit(main())
