"""From messages to the token ids that a server makes of them."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import orjson

from blocks.chat import read_error
from nightschool.errors import WorldError
from nightschool.rendering import Tokens
from nightschool.wire import Endpoint, Message

_TIMEOUT_S = 30.0
# vLLM and the embedded engine have the path; a server that does not know it says one of these.
_UNKNOWN = (404, 405, 501)


def served_tokens(endpoint: Endpoint, conversations: Iterable[Iterable[Message]]) -> list[Tokens] | None:
    """The prompt of each conversation as this server renders it; None if it has no /tokenize.

    Raises:
        WorldError: it cannot be reached, or refuses.
    """
    url = urlsplit(endpoint.urls[0])
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc, timeout=_TIMEOUT_S)
    path = f"{url.path.removesuffix('/').removesuffix('/v1')}/tokenize"
    found: list[Tokens] = []
    try:
        for messages in conversations:
            body = {"model": endpoint.model, "messages": [message.model_dump() for message in messages]}
            status, reply = _post(connection, path, body | {"return_token_strs": True}, endpoint.key_env)
            if status in _UNKNOWN and not found:
                return None
            if status != 200:
                raise WorldError(f"{endpoint.model}: /tokenize says {status}: {read_error(reply)}")
            told: Any = orjson.loads(reply)
            found.append(
                Tokens("served", told["tokens"], told.get("token_strs") or [str(one) for one in told["tokens"]])
            )
    except (OSError, http.client.HTTPException, ValueError, KeyError) as err:
        raise WorldError(f"{endpoint.model}: /tokenize cannot be asked: {type(err).__name__}: {err}") from None
    finally:
        connection.close()
    return found


def _post(
    connection: http.client.HTTPConnection, path: str, body: dict[str, Any], key_env: str | None
) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(key_env or ""):
        headers["Authorization"] = f"Bearer {key}"
    connection.request("POST", path, orjson.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()
