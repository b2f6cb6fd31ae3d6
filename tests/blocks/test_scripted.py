"""The scripted server over real HTTP: right as often as scripted, the same for the same ask, wrong in every way."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blocks.scripted import Script, ScriptedModel
from blocks.scripted.local import scripted
from blocks.scripted.script import load_script
from nightschool.errors import RecipeError, WorldError
from nightschool.school import TOPICS, check, generate

ANSWER = {"type": "object", "properties": {"reasoning": {"type": "string"}, "answer": {"type": "string"}}}
QUESTION = {"type": "object", "properties": {key: {} for key in ("plan", "question", "answer", "distractors")}}


def _request(url: str, method: str, path: str, body: object = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    host = url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request(method, path, body=json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def _chat(url: str, prompt: str, **fields: Any) -> list[dict[str, Any]]:
    schema = fields.pop("schema", None)
    body: dict[str, Any] = {"model": "pupil", "messages": [{"role": "user", "content": prompt}], **fields}
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "record", "schema": schema}}
    status, _, reply = _request(url, "POST", "/v1/chat/completions", body)
    assert status == 200, reply
    return json.loads(reply)["choices"]


def _stats(url: str) -> dict[str, Any]:
    return json.loads(_request(url, "GET", "/stats")[2])


def _pupil(**fields: Any) -> Script:
    return Script(models={"pupil": ScriptedModel(**fields)})


@pytest.mark.parametrize("frame", ["{question}\n{choices}", "Topic: {topic}\n\n{question}\n\n{choices}\n\nThink."])
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_perfect_pupil_is_right_whatever_frames_the_question(topic: str, frame: str) -> None:
    with scripted(_pupil(accuracy=1.0)) as url:
        for place, puzzle in enumerate(generate(topic, 8, seed=1)):
            choices = list(puzzle.distractors)
            choices.insert(place % 4, puzzle.right)
            lettered = "\n".join(f"{letter}) {choice}" for letter, choice in zip("ABCD", choices, strict=True))
            prompt = frame.format(topic=topic, question=puzzle.question, choices=lettered)
            (choice,) = _chat(url, prompt, schema=ANSWER, seed=place)
            assert json.loads(choice["message"]["content"])["answer"] == "ABCD"[place % 4]


def test_accuracy_is_per_topic_and_the_same_ask_gets_the_same_reply() -> None:
    puzzle = generate("seating", 1, seed=1)[0]
    lettered = "\n".join(f"{a}) {b}" for a, b in zip("ABCD", (puzzle.right, *puzzle.distractors), strict=True))
    prompt = f"{puzzle.question}\n{lettered}"
    with scripted(_pupil(accuracy={"seating": 0.6, "series": 1.0})) as url:
        first = [_chat(url, prompt, seed=seed, n=4, schema=ANSWER) for seed in range(60)]
        again = [_chat(url, prompt, seed=seed, n=4, schema=ANSWER) for seed in range(60)]
    assert first == again
    letters = [json.loads(choice["message"]["content"])["answer"] for choices in first for choice in choices]
    assert 0.5 < letters.count("A") / len(letters) < 0.7
    assert set(letters) == set("ABCD")


def test_it_writes_questions_of_the_topic_and_spoils_its_share() -> None:
    with scripted(_pupil(ok_questions=0.7)) as url:
        replies = [_chat(url, "write series: L7", seed=seed, schema=QUESTION)[0] for seed in range(120)]
    written = [json.loads(reply["message"]["content"]) for reply in replies]
    status = [check("series", one["question"], one["answer"], tuple(one["distractors"])).status for one in written]
    copies = len(written) - len({one["question"] for one in written})
    assert 0.6 < status.count("ok") / len(status) < 0.9
    assert {"wrong_key", "malformed"} <= set(status)
    assert copies > 3


def _status_429(url: str) -> None:
    status, headers, _ = _request(url, "POST", "/v1/chat/completions", _ASK)
    assert (status, headers["Retry-After"]) == (429, "0.5")


def _status_500(url: str) -> None:
    assert _request(url, "POST", "/v1/chat/completions", _ASK)[0] == 500


def _broken_off(url: str) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        _request(url, "POST", "/v1/chat/completions", _ASK)


def _hang(url: str) -> None:
    host = url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host, timeout=0.3)
    connection.request("POST", "/v1/chat/completions", body=json.dumps(_ASK))
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def _slow(url: str) -> None:
    assert json.loads(_request(url, "POST", "/v1/chat/completions", _ASK)[2])["choices"]


def _wrong_content_type(url: str) -> None:
    status, headers, _ = _request(url, "POST", "/v1/chat/completions", _ASK)
    assert (status, headers.get_content_type()) == (200, "text/html")


def _empty_choices(url: str) -> None:
    assert json.loads(_request(url, "POST", "/v1/chat/completions", _ASK)[2])["choices"] == []


def _rubbish(url: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(_chat(url, "hello", schema=ANSWER)[0]["message"]["content"])


def _truncated(url: str) -> None:
    assert _chat(url, "hello", schema=ANSWER)[0]["finish_reason"] == "length"


def _wrong_shape(url: str) -> None:
    assert "answer" not in json.loads(_chat(url, "hello", schema=ANSWER)[0]["message"]["content"])


_ASK = {"model": "pupil", "messages": [{"role": "user", "content": "hello"}]}
_FAULTS = {
    "status_429": _status_429, "status_500": _status_500, "reset": _broken_off, "half_body": _broken_off,
    "hang": _hang, "slow": _slow, "wrong_content_type": _wrong_content_type, "empty_choices": _empty_choices,
    "rubbish": _rubbish, "truncated": _truncated, "wrong_shape": _wrong_shape,
}  # fmt: skip


@pytest.mark.parametrize("fault", _FAULTS)
def test_every_fault_is_what_its_name_says(fault: str) -> None:
    script = {"models": {"pupil": {}}, "faults": {fault: 1.0}, "retry_after_s": 0.5, "slow_s": 0.05}
    with scripted(Script.model_validate(script)) as url:
        _FAULTS[fault](url)
        assert _stats(url)["faults"] == {fault: 1}


def test_a_fault_on_the_wire_is_drawn_for_each_attempt_and_hits_its_share() -> None:
    with scripted(Script(models={"pupil": ScriptedModel()}, faults={"status_500": 0.3})) as url:
        codes = [
            [_request(url, "POST", "/v1/chat/completions", _ASK | {"seed": seed})[0] for _ in range(4)]
            for seed in range(50)
        ]
    flat = list(itertools.chain(*codes))
    assert 0.2 < flat.count(500) / len(flat) < 0.4
    assert sum(200 in one for one in codes) > 45


def test_stats_tell_duplicates_from_retries() -> None:
    with scripted(_pupil()) as url:
        for seed in (1, 1, 2):
            _request(url, "POST", "/v1/chat/completions", _ASK | {"seed": seed})
        stats = _stats(url)
    assert (stats["total"], stats["distinct"], stats["duplicates"], stats["answered_again"]) == (3, 2, 1, 1)
    assert (stats["in_flight"], stats["models"]) == (0, {"pupil": 3})


def test_what_a_real_server_refuses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSCHOOL_API_KEY", "secret")
    with scripted(_pupil()) as url:
        assert _request(url, "GET", "/v1/models")[0] == 401
        assert _request(url, "GET", "/health")[0] == 200
    monkeypatch.delenv("NIGHTSCHOOL_API_KEY")
    with scripted(_pupil()) as url:
        assert _request(url, "POST", "/v1/chat/completions", _ASK | {"model": "nobody"})[0] == 404
        assert _request(url, "POST", "/v1/chat/completions", {"model": "pupil"})[0] == 400
        assert _request(url, "POST", "/v1/chat/completions", _ASK | {"n": 0})[0] == 400


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid JSON"),
        ('{"faults": {"fire": 0.1}}', "fire"),
        ('{"faults": {"hang": 0.7, "reset": 0.7}}', "more than 1"),
        ('{"models": {"a": {"accuracy": 1.2}}}', "models.a.accuracy"),
        ('{"unknown": 1}', "unknown"),
    ],
)
def test_a_script_is_checked(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(RecipeError, match=said):
        load_script(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_script(tmp_path / "nothing")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with scripted(_pupil()) as url:
        command = [sys.executable, "-m", "blocks.scripted", "--port", url.split(":")[-1].removesuffix("/v1")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == WorldError.exit_code
    assert re.fullmatch(r"cannot listen on 127\.0\.0\.1:\d+: .*in use\n", ended.stderr)
