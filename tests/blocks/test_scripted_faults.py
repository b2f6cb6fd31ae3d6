"""Faults of the scripted server over real HTTP: each is what its name says, as often as scripted."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import time
from typing import get_args

import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from nightschool.recipe.script import ReplyFault, WireFault
from tests.blocks.scripted_asks import ANSWER, ASK, chat, request, stats_of


def _status_429(url: str) -> None:
    status, headers, _ = request(url, "POST", "/v1/chat/completions", ASK)
    assert (status, headers["Retry-After"]) == (429, "0.5")


def _status_500(url: str) -> None:
    assert request(url, "POST", "/v1/chat/completions", ASK)[0] == 500


def _status_503(url: str) -> None:
    assert request(url, "POST", "/v1/chat/completions", ASK)[0] == 503


def _half_json(url: str) -> None:
    status, headers, body = request(url, "POST", "/v1/chat/completions", ASK)
    assert (status, headers.get_content_type()) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def _huge(url: str) -> None:
    (choice,) = chat(url, "hello")
    assert len(choice["message"]["content"]) > 9_900_000


def _broken_off(url: str) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        request(url, "POST", "/v1/chat/completions", ASK)


def _hang(url: str) -> None:
    host = url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host, timeout=0.3)
    connection.request("POST", "/v1/chat/completions", body=json.dumps(ASK))
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def _slow(url: str) -> None:
    assert json.loads(request(url, "POST", "/v1/chat/completions", ASK)[2])["choices"]


def _wrong_content_type(url: str) -> None:
    status, headers, _ = request(url, "POST", "/v1/chat/completions", ASK)
    assert (status, headers.get_content_type()) == (200, "text/html")


def _empty_choices(url: str) -> None:
    assert json.loads(request(url, "POST", "/v1/chat/completions", ASK)[2])["choices"] == []


def _rubbish(url: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(chat(url, "hello", schema=ANSWER)[0]["message"]["content"])


def _truncated(url: str) -> None:
    assert chat(url, "hello", schema=ANSWER)[0]["finish_reason"] == "length"


def _wrong_shape(url: str) -> None:
    assert "answer" not in json.loads(chat(url, "hello", schema=ANSWER)[0]["message"]["content"])


_FAULTS = {
    "status_429": _status_429, "status_500": _status_500, "reset": _broken_off, "half_body": _broken_off,
    "hang": _hang, "slow": _slow, "wrong_content_type": _wrong_content_type, "empty_choices": _empty_choices,
    "status_503": _status_503, "half_json": _half_json, "huge": _huge, "rubbish": _rubbish,
    "truncated": _truncated, "wrong_shape": _wrong_shape,
}  # fmt: skip


@pytest.mark.parametrize("fault", _FAULTS)
def test_every_fault_is_what_its_name_says(fault: str) -> None:
    script = {"models": {"pupil": {}}, "faults": {fault: 1.0}, "retry_after_s": 0.5, "slow_s": 0.05}
    with scripted(Script.model_validate(script)) as url:
        _FAULTS[fault](url)
        stats = stats_of(url)
    assert stats["faults"] == {fault: 1}
    assert stats["in_flight"] == 0 or fault == "hang"


def test_every_fault_has_its_test() -> None:
    assert set(_FAULTS) == {*get_args(WireFault), *get_args(ReplyFault)}


def test_a_fault_on_the_wire_is_drawn_for_each_attempt_and_hits_its_share() -> None:
    with scripted(Script(models={"pupil": ScriptedModel()}, faults={"status_500": 0.3})) as url:
        codes = [
            [request(url, "POST", "/v1/chat/completions", ASK | {"seed": seed})[0] for _ in range(4)]
            for seed in range(50)
        ]
    flat = list(itertools.chain(*codes))
    assert 0.2 < flat.count(500) / len(flat) < 0.4
    assert sum(200 in one for one in codes) > 45


def test_rows_that_fail_go_on_failing_until_healed() -> None:
    fields = {"faults": {"status_500": 0.3}, "fault_by": "row", "heal_after": 80}
    with scripted(Script.model_validate({"models": {"pupil": {}}, **fields})) as url:
        first, again, healed = (
            [request(url, "POST", "/v1/chat/completions", ASK | {"seed": seed})[0] for seed in range(40)]
            for _ in range(3)
        )
    assert first == again
    assert 4 < first.count(500) < 20
    assert healed == [200] * 40


def test_it_goes_away_and_comes_back() -> None:
    script = {"models": {"pupil": {}}, "away_after": 1, "away_s": 2}
    with scripted(Script.model_validate(script)) as url:
        assert chat(url, "hello")
        with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
            chat(url, "hello")
        with pytest.raises(ConnectionRefusedError):
            request(url, "GET", "/health")
        assert _until_back(url)


def _until_back(url: str) -> bool:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        with contextlib.suppress(ConnectionRefusedError):
            return bool(chat(url, "hello"))
        time.sleep(0.02)
    return False
