"""HTTP as servers really speak it, and as none should: an answer or NoAnswer, never anything else, never a hang."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks.connection import Answer, NoAnswer, Server

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def answers(*pieces: bytes, close: bool = False, asks: int = 1, timeout_s: float = 5.0) -> tuple[list[object], int]:
    """What `asks` requests in a row come to when each is answered with these pieces; and the connections made."""
    connections = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                assert b"Host: 127.0.0.1" in head
                await reader.readexactly(2)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def run() -> list[object]:
        listener = await asyncio.start_server(speak, "127.0.0.1")
        server = Server(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")
        found: list[object] = []
        for _ in range(asks):
            try:
                found.append(await server.ask(server.head("POST", "/chat/completions", "key"), b"{}", timeout_s))
            except NoAnswer as err:
                found.append(err)
            await asyncio.sleep(0.001)
        server.close()
        listener.close()
        return found

    return uvloop.run(run()), connections


@pytest.mark.parametrize(
    ("pieces", "close", "answer"),
    [
        ([OK + b"Content-Length: 2\r\n\r\nhi"], False, Answer(200, None, None, b"hi")),
        ([OK + b"Content-Le", b"ngth: 2\r\n\r", b"\nh", b"i"], False, Answer(200, None, None, b"hi")),
        ([OK + CHUNKED + b"\r\n1\r\nh\r\n", b"1\r\ni\r\n0\r\n\r\n"], False, Answer(200, None, None, b"hi")),
        ([OK + b"\r\n", b"hi"], True, Answer(200, None, None, b"hi")),
        ([b"HTTP/1.0 200 OK\r\n\r\nhi"], True, Answer(200, None, None, b"hi")),
        ([b"HTTP/1.1 100 Go\r\n\r\n", OK + b"Content-Length: 2\r\n\r\nhi"], False, Answer(200, None, None, b"hi")),
        ([b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"], False, Answer(429, "7", "", b"")),
        ([b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"], True, Answer(503, None, None, b"")),
    ],
)  # fmt: skip
def test_an_answer_is_read_however_it_is_framed(pieces: Sequence[bytes], close: bool, answer: Answer) -> None:
    found, connections = answers(*pieces, close=close, asks=2)
    read = [one for one in found if isinstance(one, Answer)]
    assert [one._replace(arrived=()) for one in read] == [answer, answer]
    for one in read:
        assert (one.arrived[-1][1] if one.arrived else 0) == len(answer.body)
        assert list(one.arrived) == sorted(one.arrived)
    assert connections == (2 if close else 1)


@pytest.mark.parametrize(
    ("pieces", "close", "says"),
    [
        ([b""], True, "closed the connection"),
        ([OK + b"Content-Length: 9\r\n\r\nhi"], True, "closed the connection"),
        ([OK + CHUNKED + b"\r\n5\r\nhi"], True, "closed the connection"),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], False, "not HTTP"),
        ([OK + b"Content-Length: many\r\n\r\n"], False, "not HTTP"),
        ([OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi"], False, "content-encoding gzip"),
        ([OK + b"Content-Length: 9\r\n\r\nhi"], False, "no answer within 0.1 s"),
        ([b"HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nxx"], True, ""),
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_told(pieces: Sequence[bytes], close: bool, says: str) -> None:
    (found,), _ = answers(*pieces, close=close, timeout_s=0.1)
    assert isinstance(found, NoAnswer)
    assert says in str(found)
    assert found.reached


def test_nobody_there() -> None:
    async def run() -> NoAnswer:
        server = Server("http://127.0.0.1:1/v1")
        with pytest.raises(NoAnswer) as told:
            await server.ask(server.head("GET", "/models", None), b"", 5)
        return told.value

    assert not uvloop.run(run()).reached


def test_a_request_that_is_given_up_takes_its_connection_along() -> None:
    async def run() -> int:
        gone = asyncio.Event()

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            gone.set()
            writer.close()

        listener = await asyncio.start_server(never, "127.0.0.1")
        server = Server(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1")
        task = asyncio.ensure_future(server.ask(server.head("GET", "/", None), b"", 60))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait_for(gone.wait(), 5)
        listener.close()
        return 1

    assert uvloop.run(run())


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [OK, b"\r\n", b"Content-Length: 3\r\n", CHUNKED, b"3\r\nabc\r\n", b"0\r\n\r\n",
                 b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/9.9 -1\r\n", b"Connection: Upgrade\r\nUpgrade: x\r\n", b"\x00"]
            ),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_any_bytes_end_in_an_answer_or_in_none(pieces: list[bytes]) -> None:
    found, _ = answers(*pieces, close=True, asks=2, timeout_s=1.0)
    assert all(isinstance(one, Answer | NoAnswer) for one in found)
