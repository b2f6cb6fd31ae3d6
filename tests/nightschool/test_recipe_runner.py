"""A runner is a word or a mapping, its address one of its kind, and none of it decides a row."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nightschool.recipe.runner import Runner


@pytest.mark.parametrize("kind", ["threads", "processes", "ray", "dask"])
def test_a_word_is_enough(kind: str) -> None:
    assert Runner.model_validate(kind) == Runner.model_validate({"kind": kind})
    assert Runner.model_validate(kind).identity() == {}


@pytest.mark.parametrize(
    ("kind", "address", "near"),
    [
        ("ray", None, True),
        ("ray", "ray://127.0.0.1:10001", True),
        ("ray", "ray://head:10001", False),
        ("ray", "127.0.0.1:6379", True),
        ("dask", "tcp://localhost:8786", True),
        ("dask", "tls://[fd00::1]:8786", False),
    ],
)
def test_where_it_is(kind: str, address: str | None, near: bool) -> None:
    assert Runner.model_validate({"kind": kind, "address": address}).is_near == near


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"kind": "threads", "address": "ray://head:10001"}, "have no address"),
        ({"kind": "ray", "address": "tcp://head:8786"}, "no address of such a cluster"),
        ({"kind": "dask", "address": "head:8786"}, "no address of such a cluster"),
        ({"kind": "dask", "address": "tcp://head:none"}, "no address of such a cluster"),
        ({"kind": "ray", "workers": 0}, "greater than or equal to 1"),
        ("slurm", "'threads', 'processes', 'ray' or 'dask'"),
    ],
)
def test_what_is_refused(given: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Runner.model_validate(given)
