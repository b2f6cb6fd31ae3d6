"""HTTP/1.1 to one server over keep-alive connections: a tenth of the CPU that a general client takes per request.

Measured per request, 800 bytes there and 600 back: aiohttp 60-90 us, this 10-15 us, of which httptools (llhttp, the
parser of Node and uvicorn) takes 2.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

_CONNECT_TIMEOUT_S = 10.0
# uvicorn, vLLM's server, closes idle connections after 5 s; one that it is just closing would cost a request.
_IDLE_S = 4.0
_MAX_BODY_BYTES = 64 * 1024**2


class Answer(NamedTuple):
    """What came back: `retry_after` and `date` as the headers have them.

    `arrived`: moments of `time.perf_counter` at which bytes came off the socket, before anything was made of them, and
    how many bytes of the body were there by then.
    """

    status: int
    retry_after: str | None
    date: str | None
    body: bytes
    arrived: tuple[tuple[float, int], ...] = ()


class NoAnswer(Exception):
    """No whole answer came. `reached`: the request went out and may have been worked on; `late`: the time was up."""

    def __init__(self, text: str, *, reached: bool = True, late: bool = False) -> None:
        super().__init__(text)
        self.reached = reached
        self.late = late


class Server:
    """One server's connections; as many are opened as there are requests at once, idle ones are used again."""

    def __init__(self, base: str) -> None:
        """`base` as OpenAI has it: scheme, host and port, and a path such as /v1."""
        parts = urlsplit(base)
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._host_line = f"Host: {parts.netloc.rpartition('@')[2]}\r\n"
        self._idle: list[_Connection] = []

    def head(self, method: str, path: str, key: str | None) -> bytes:
        """A request's first lines, the same for every request to this path: made once."""
        bearer = f"Authorization: Bearer {key}\r\n" if key else ""
        lines = f"{method} {self._path}{path} HTTP/1.1\r\n{self._host_line}{bearer}"
        return f"{lines}Content-Type: application/json\r\nAccept-Encoding: identity\r\n".encode()

    async def ask(self, head: bytes, body: bytes, timeout_s: float) -> Answer:
        """Send one request and read its answer.

        Raises:
            NoAnswer: no connection, or no whole answer within the time.
        """
        connection = self._pop_idle()
        if connection is None:
            began = time.monotonic()
            connection = await self._connect(timeout_s)
            timeout_s -= time.monotonic() - began
        future = connection.send(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body), timeout_s)
        try:
            return await future
        finally:
            if connection.reusable:
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the idle connections; requests under way close their own when they end."""
        while self._idle:
            self._idle.pop().close()

    def _pop_idle(self) -> _Connection | None:
        oldest = time.monotonic() - _IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self, timeout_s: float) -> _Connection:
        loop = asyncio.get_running_loop()
        context = _tls_context() if self._tls else None
        try:
            async with asyncio.timeout(min(_CONNECT_TIMEOUT_S, timeout_s)):
                _, protocol = await loop.create_connection(_Connection, self._host, self._port, ssl=context)
        except TimeoutError:
            raise NoAnswer(f"no connection to {self._host}:{self._port} in time", reached=False, late=True) from None
        except OSError as err:
            raise NoAnswer(f"no connection to {self._host}:{self._port}: {err}", reached=False) from None
        return protocol


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next request. The on_ methods are the parser's."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._future: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = self._now = 0.0
        self.reusable = False
        self.idle_since = 0.0

    def send(self, request: bytes, timeout_s: float) -> asyncio.Future[Answer]:
        """The answer that will come, or NoAnswer."""
        self._begin()
        self.reusable = False
        future = self._future = self._loop.create_future()
        self._timeout_s, self._deadline = timeout_s, time.monotonic() + timeout_s
        if self._timer is None or self._deadline < self._timer_at:
            self._set_timer()
        if self._transport is None:
            self._fail("the server closed the connection")
        else:
            self._transport.write(request)
        return future

    def close(self) -> None:
        """Close at once; a request under way is given up."""
        self.reusable = False
        self._future = None
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport, self.reusable = None, False
        if exc is None and self._future is not None and self._headed and not self._framed:
            self._finish(reusable=False)
        self._fail(f"the server closed the connection{f': {exc}' if exc else ''}")

    def data_received(self, data: bytes) -> None:
        if self._future is None:
            self.close()
            return
        self._now = time.perf_counter()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as err:
            self._fail(f"not HTTP: {err}")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"retry-after":
            self._retry_after = value.decode("latin-1")
        elif name == b"date":
            self._date = value
        elif name in (b"content-length", b"transfer-encoding"):
            self._framed = True
        elif name == b"content-encoding" and value.lower() != b"identity":
            self._fail(f"content-encoding {value.decode('latin-1')}, which was not asked for")

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, data: bytes) -> None:
        self._body.append(data)
        self._size += len(data)
        self._arrived.append((self._now, self._size))
        if self._size > _MAX_BODY_BYTES:
            self._fail(f"an answer of more than {_MAX_BODY_BYTES} bytes")

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            self._begin()
        else:
            self._finish(reusable=self._parser.should_keep_alive())

    def _begin(self) -> None:
        self._body: list[bytes] = []
        self._arrived: list[tuple[float, int]] = []
        self._size = 0
        self._headed = self._framed = False
        self._retry_after: str | None = None
        self._date = b""

    def _finish(self, *, reusable: bool) -> None:
        future, self._future = self._future, None
        if future is None:
            return
        self.reusable = reusable and self._transport is not None
        self.idle_since = time.monotonic()
        if not future.done():
            date = self._date.decode("latin-1") if self._retry_after else None
            status, body = self._parser.get_status_code(), b"".join(self._body)
            future.set_result(Answer(status, self._retry_after, date, body, tuple(self._arrived)))

    def _fail(self, text: str, late: bool = False) -> None:
        future, self._future = self._future, None
        if future is not None and not future.done():
            future.set_exception(NoAnswer(text, late=late))

    def _set_timer(self) -> None:
        """One timer serves many requests: to set and cancel one for each would cost a tenth of the CPU of all."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_later(max(0.0, self._deadline - time.monotonic()), self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._future is None:
            return
        if time.monotonic() >= self._deadline:
            self._fail(f"no answer within {self._timeout_s:.1f} s", late=True)
        else:
            self._set_timer()
