"""What the tests of the scripted server share: requests by hand, and a script of one model."""

from __future__ import annotations

import http.client
import json
from typing import Any

from blocks.scripted import Script, ScriptedModel

ASK = {"model": "pupil", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {"type": "object", "properties": {"reasoning": {"type": "string"}, "answer": {"type": "string"}}}
QUESTION = {"type": "object", "properties": {key: {} for key in ("plan", "question", "answer", "distractors")}}


def request(url: str, method: str, path: str, body: object = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    host = url.removeprefix("http://").split("/")[0]
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request(method, path, body=json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def chat(url: str, prompt: str, **fields: Any) -> list[dict[str, Any]]:
    schema = fields.pop("schema", None)
    body: dict[str, Any] = {"model": "pupil", "messages": [{"role": "user", "content": prompt}], **fields}
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "record", "schema": schema}}
    status, _, reply = request(url, "POST", "/v1/chat/completions", body)
    assert status == 200, reply
    return json.loads(reply)["choices"]


def stats_of(url: str) -> dict[str, Any]:
    return json.loads(request(url, "GET", "/stats")[2])


def pupil(**fields: Any) -> Script:
    return Script(models={"pupil": ScriptedModel(**fields)})
