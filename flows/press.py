"""A press of a button on one of our own pages, as a browser sends it: whether it comes from there, and what it says."""

from __future__ import annotations

import hmac
import secrets
from email.message import Message
from io import BufferedIOBase
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

HOSTS = ("127.0.0.1", "localhost")
# What a form has to bring back: of this process alone, so that no other page can know it.
TOKEN = secrets.token_urlsafe(32)
_MOST_BYTES, _READ_BYTES, _MOST_FIELDS = 64 * 1024, 1024 * 1024, 16
_FORM = "application/x-www-form-urlencoded"
_WRONG = {
    "who": "Write your name, in no more than 80 characters.",
    "verdict": "A verdict is good, bad or instead.",
    "note": "A note has no more than 1,000 characters.",
    "answer": "An answer has no more than 4,000 characters.",
    "reasoning": "A reasoning has no more than 8,000 characters.",
    "row": "The form names no row.",
}


class Refused(Exception):
    """A press that is not taken, with the status of the reply and why, in a sentence."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Press(BaseModel):
    """One verdict on one row; instead: the answer that is right, with the way to it where no teacher goes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    row: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    verdict: Literal["good", "bad", "instead"]
    who: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    answer: Annotated[str, StringConstraints(max_length=4000)] = ""
    reasoning: Annotated[str, StringConstraints(max_length=8000)] = ""


def received(headers: Message, body: BufferedIOBase) -> Press:
    """What a press says, if it comes from a page of ours that this process gave out.

    A page of the web may send a form anywhere, to this machine too. Its browser says then where the form is from, and
    it cannot know the token.

    Raises:
        Refused: it comes from elsewhere, or says nothing that can be taken; nothing was done.
    """
    data = _body(headers, body)
    if not from_here(headers):
        raise Refused(403, "This was not sent from a page of ours.")
    fields = _fields(data)
    if not hmac.compare_digest(fields.pop("token", "").encode(), TOKEN.encode()):
        raise Refused(403, "The page is from before nightschool was started again: load it anew.")
    try:
        return Press.model_validate(fields)
    except ValidationError as err:
        field = str(err.errors()[0]["loc"][0])
        raise Refused(400, _WRONG.get(field, "The form has a field that is not known.")) from None


def is_local(headers: Message) -> bool:
    """Whether a request names this machine; a page of the web that has its own name point here does not."""
    return (headers.get("Host") or "").partition(":")[0] in HOSTS


def from_here(headers: Message) -> bool:
    """Whether a request names this machine, and the page that it comes from is of this same server."""
    source = headers.get("Origin") or headers.get("Referer") or ""
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    return is_local(headers) and (parts.scheme, parts.netloc) == ("http", headers.get("Host"))


def _body(headers: Message, body: BufferedIOBase) -> bytes:
    said = headers.get("Content-Length") or ""
    if not (said.isascii() and said.isdecimal()) or len(said) > 12:
        raise Refused(411, "How long the form is has to be said.")
    if int(said) > _MOST_BYTES:
        # Whoever sends reads no reply before all was sent.
        body.read(min(int(said), _READ_BYTES))
        raise Refused(413, "The form is longer than 64 KB.")
    data = body.read(int(said))
    if len(data) < int(said):
        raise Refused(400, "The form did not come whole.")
    return data


def _fields(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict",
                          max_num_fields=_MOST_FIELDS)  # fmt: skip
    except ValueError:
        raise Refused(400, "This is no form that can be read.") from None
    found = {name: text.replace("\r\n", "\n") for name, text in pairs}
    if len(found) < len(pairs):
        raise Refused(400, "The form says a field twice.")
    return found
