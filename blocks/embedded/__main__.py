"""`python -m blocks.embedded --model DIR --name NAME --port P`: serve one base and its adapters until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from aiohttp import web

from blocks.embedded.server import Server, say
from nightschool.errors import NightError, RecipeError, WorldError

if TYPE_CHECKING:
    from blocks.embedded.engine import Engine


def _adapter(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m blocks.embedded", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of a transformers causal LM")
    parser.add_argument("--name", required=True, help="the name by which requests ask for it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--adapter", type=_adapter, action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--threads", type=int, default=1, help="threads of a matrix product")
    parser.add_argument("--max-batch", type=int, default=128, help="rows generated at once, per model")
    parser.add_argument("--max-queue", type=int, default=8192, help="rows that may wait before a 503")
    parser.add_argument("--max-model-len", type=int, help="tokens of prompt and reply; default: the model's own")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    return parser.parse_args()


def _check(args: argparse.Namespace) -> None:
    """Refuse what can be refused before the imports, which take seconds.

    Raises:
        RecipeError: a folder or a name is wrong.
    """
    for folder, needed in [(args.model, "config.json"), *((f, "adapter_config.json") for _, f in args.adapter)]:
        if not (folder / needed).is_file():
            raise RecipeError(f"no {needed} in this folder", file=folder)
    names = [args.name, *(name for name, _ in args.adapter)]
    if len(set(names)) < len(names):
        raise RecipeError("two models have the same name", value=names)


def _load(args: argparse.Namespace) -> Engine:
    import torch

    from blocks.embedded.imports import lean_imports

    torch.set_num_threads(args.threads)
    with lean_imports():
        from blocks.embedded.engine import Engine
        from blocks.embedded.models import load

        loaded = load(args.model, args.name, dict(args.adapter), args.dtype, args.max_model_len)
    return Engine(loaded, slots=args.max_batch, threads=args.threads, queue_rows=args.max_queue)


async def _serve(args: argparse.Namespace) -> NoReturn:
    # A daemon thread inside torch can hang the interpreter's own shutdown, and nothing here needs one.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, os._exit, 0)
    server = Server(str(args.model))
    # Rows of a client that goes away are cancelled by the cancelled handler.
    runner = web.AppRunner(server.app(), access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, args.host, args.port, backlog=1024).start()
    except OSError as err:
        raise WorldError(f"cannot listen on {args.host}:{args.port}: {err.strerror}") from None
    server.engine = await asyncio.to_thread(_load, args)
    say(f"serving {', '.join(server.engine.names)} on {args.host}:{args.port}")
    await server.log()
    raise AssertionError("the log never ends")


def _die(args: threading.ExceptHookArgs) -> None:
    """A server whose generation thread is gone would let its clients wait for ever."""
    sys.__excepthook__(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    os._exit(WorldError.exit_code)


def main() -> None:
    """Serve; exit 2 for a model or an argument that cannot be used, 3 for a port that is taken."""
    args = _arguments()
    os.environ.update(
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        TOKENIZERS_PARALLELISM="false",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
    )
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    threading.excepthook = _die
    try:
        _check(args)
        asyncio.run(_serve(args))
    except NightError as err:
        say(f"{type(err).__name__}: {err}")
        os._exit(err.exit_code)


if __name__ == "__main__":
    main()
