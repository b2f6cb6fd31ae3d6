"""As much HTTP/1.1 as a keep-alive client needs, straight on a socket: parsing a request costs microseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_BODY = 16 * 1024**2
_REASONS = {
    200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 404: b"Not Found", 411: b"Length Required",
    413: b"Content Too Large", 429: b"Too Many Requests", 500: b"Internal Server Error", 503: b"Service Unavailable",
}  # fmt: skip
_JSON = b"application/json"


@dataclass(slots=True)
class Request:
    """One request; `head` is all that came before the body, `lowered` the same in lower case."""

    method: bytes
    path: bytes
    head: bytes
    lowered: bytes
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """A header's value; its name is given in lower case."""
        return _header(self.head, self.lowered, name)


class Handler(Protocol):
    """Who answers requests."""

    def handle(self, connection: Connection, request: Request) -> None:
        """Answer, now or later, by the connection's methods."""
        ...

    def opened(self, connection: Connection) -> None:
        """A client is there."""
        ...

    def closed(self, connection: Connection) -> None:
        """It has gone, perhaps in the middle of a request."""
        ...


class Connection(asyncio.Protocol):
    """One client; one request of it at a time.

    For the handler to remember: `counted` while it works on something, `ticket` what that is.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self.busy = False
        self.counted = False
        self.ticket: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._handler.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._handler.closed(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Do something after a while, unless the client has gone by then."""
        self._timer = asyncio.get_running_loop().call_later(delay_s, call)

    def reply(self, status: int, body: bytes, *, kind: bytes = _JSON, extra: bytes = b"") -> None:
        """Send a whole answer."""
        self.transport.write(head(status, len(body), kind=kind, extra=extra) + body)
        self.finish()

    def finish(self) -> None:
        """The answer is out: the next request may come."""
        self.busy = False
        self._timer = None
        if self._buffer:
            self._next()

    def _next(self) -> None:
        while self._buffer and not self.busy and not self.transport.is_closing():
            request = self._parse()
            if request is None:
                return
            self.busy = True
            self._handler.handle(self, request)

    def _parse(self) -> Request | None:
        """The first whole request of the buffer, taken out of it."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return self._refuse(413) if len(self._buffer) > MAX_BODY else None
        top = bytes(self._buffer[:end])
        lowered = top.lower()
        if b"\r\ntransfer-encoding:" in lowered:
            return self._refuse(411)
        said = _header(top, lowered, b"content-length") or b"0"
        if not said.isdigit() or (length := int(said)) > MAX_BODY:
            return self._refuse(413 if said.isdigit() else 400)
        start = end + 4
        if len(self._buffer) < start + length:
            if b"\r\nexpect: 100-continue" in lowered and len(self._buffer) == start:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        line = top[: top.find(b"\r\n")] if b"\r\n" in top else top
        method, _, rest = line.partition(b" ")
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return Request(method, rest.partition(b" ")[0].partition(b"?")[0], top, lowered, body)

    def _refuse(self, status: int) -> None:
        """What follows cannot be told from the body: answer, and hang up."""
        self.transport.write(head(status, 0, extra=b"Connection: close\r\n"))
        self.transport.close()


def head(status: int, length: int, *, kind: bytes = _JSON, extra: bytes = b"") -> bytes:
    """Status line and headers of an answer with so many bytes."""
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (
        status, _REASONS[status], kind, length, extra,
    )  # fmt: skip


def _header(top: bytes, lowered: bytes, name: bytes) -> bytes | None:
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    start = at + len(name) + 3
    end = lowered.find(b"\r\n", start)
    return top[start : end if end >= 0 else len(top)].strip()
