"""How long a row is left alone after a failure."""

from __future__ import annotations

import pytest

from blocks.call import Call, Job
from tests.blocks.client_asks import asks, endpoint_of


def _job(number: int, attempts: int, pushed_back: int) -> Job:
    call = Call(endpoint_of(), None, asks(0), lambda _: None, lambda *_: None)
    (ask,) = asks(1, str(number))
    return Job(call, ask, b"", attempts=attempts, pushed_back=pushed_back)


@pytest.mark.parametrize(("attempts", "pushed_back", "most_s"), [(1, 0, 0.5), (12, 0, 1), (12, 4, 4), (12, 12, 30)])
def test_only_a_server_with_too_much_to_do_is_left_alone_for_long(
    attempts: int, pushed_back: int, most_s: float
) -> None:
    waits_s = [_job(number, attempts, pushed_back).backoff_s() for number in range(200)]
    assert 0.9 * most_s < max(waits_s) <= most_s
    assert min(waits_s) < 0.1 * most_s
