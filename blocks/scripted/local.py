"""A scripted server in a thread of this process: real HTTP on loopback for tests and benchmarks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from blocks.scripted.server import ScriptedServer
from nightschool.recipe.script import Script


@contextmanager
def scripted(script: Script, port: int = 0) -> Iterator[str]:
    """Serve a script while the block runs, on a free port unless one is given; yields the base URL, which ends in /v1.

    `die_after` would end this process; a script that has it belongs in a process of its own.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted", daemon=True)
    thread.start()
    server = ScriptedServer(script)
    try:
        bound = asyncio.run_coroutine_threadsafe(server.listen("127.0.0.1", port), loop).result()
        yield f"http://127.0.0.1:{bound}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: ScriptedServer) -> None:
    server.close()
    await asyncio.sleep(0)
