"""A lease: one machine at a time makes a chunk, and the dead keep none."""

from __future__ import annotations

import os
import subprocess

import orjson

from blocks import lease
from blocks.lease import Lease
from blocks.pid_file import identify
from blocks.remote import Remote


def test_a_lease_of_a_process_of_this_machine_that_is_gone_is_taken_at_once(url: str) -> None:
    gone = subprocess.Popen(["true"])
    facts = {"process": identify(os.getpid()).model_dump() | {"pid": gone.pid}, "owner": "x", "host": "here"}
    gone.wait()
    for where, taken in ((lease._where(), True), ("another machine", False)):
        remote = Remote(f"{url}/{taken}")
        remote.create("x.lease/00001.lease", orjson.dumps(facts | {"where": where}))
        assert Lease(remote, "x.lease").take() == taken


def test_a_lease_is_taken_from_the_dead_and_never_from_the_living(url: str) -> None:
    now = [0.0]
    first, second, third = (Lease(Remote(url), "x.lease", lambda: now[0]) for _ in range(3))
    assert first.take()
    for _ in range(5):
        assert not second.take()
        now[0] += lease.DEAD_AFTER_S * 0.9
        assert first.beat()
    assert not second.take()
    now[0] += lease.DEAD_AFTER_S * 1.1
    assert not third.take(), "it has only now begun to listen"
    assert second.take()
    assert not first.beat(), "back from the dead, it finds another holder"
    assert second.beat()
    assert not third.take()
    second.release()
    assert third.take()
    assert not first.beat()
    assert not second.beat()
