"""`python -m blocks.scripted --port P [--script FILE]`: serve a script on loopback until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import get_args

from blocks.memory import look_seldom
from blocks.scripted.server import ScriptedServer
from nightschool.errors import NightError
from nightschool.recipe.script import Behaviour, Script, ScriptedModel, load_script


def main() -> int:
    """Serve; exit code 2 for a bad script, 3 for a port that is taken."""
    parser = argparse.ArgumentParser(prog="python -m blocks.scripted", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, help="JSON file; without one, a pupil of the school")
    parser.add_argument("--behaviour", choices=get_args(Behaviour), default="school", help="without a script")
    parser.add_argument("--name", action="append", default=[], help="a model to serve beside those of the script")
    given = parser.parse_args()
    look_seldom()
    try:
        script = load_script(given.script) if given.script else Script(behaviour=given.behaviour)
        models = dict.fromkeys(given.name, ScriptedModel()) | script.models
        script = script.model_copy(update={"models": models or {"scripted": ScriptedModel()}})
        asyncio.run(_serve(script, given.host, given.port))
    except NightError as err:
        sys.stderr.write(f"{err}\n")
        return err.exit_code
    return 0


async def _serve(script: Script, host: str, port: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 0)
    port = await ScriptedServer(script).listen(host, port)
    sys.stderr.write(f"serving {', '.join(script.models)} on {host}:{port}\n")
    sys.stderr.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
