"""A scripted server in a thread of this process: real HTTP on loopback for tests and benchmarks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from blocks.scripted.script import Script
from blocks.scripted.server import ScriptedServer


@contextmanager
def scripted(script: Script, port: int = 0) -> Iterator[str]:
    """Serve a script while the block runs, on a free port unless one is given; yields the base URL, which ends in /v1.

    `die_after` would end this process; a script that has it belongs in a process of its own.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted", daemon=True)
    thread.start()
    app = ScriptedServer(script).app()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    try:
        bound = asyncio.run_coroutine_threadsafe(_listen(runner, port), loop).result()
        yield f"http://127.0.0.1:{bound}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(runner: web.AppRunner, port: int) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    host_port: tuple[str, int] = runner.addresses[0]
    return host_port[1]
