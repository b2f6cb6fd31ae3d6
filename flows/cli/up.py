"""The command that brings up all that a person needs to run nights from a browser, on this machine alone."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import Annotated

import typer

from flows.cli.output import out


def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where Prefect's page listens, on loopback.")] = 4200,
    host: Annotated[
        str, typer.Option(help="Where else Prefect's page listens; anything but loopback needs a password.")
    ] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--open", help="Open the form of a night in a browser.")] = False,
) -> None:
    """Bring up Prefect's server, a worker and the pages of nights, until Ctrl-C; nothing is left running.

    Everything listens on 127.0.0.1 alone. What ends by itself is started again. Nights take turns at the devices;
    Ctrl-C ends one that runs, and it goes on when all is up again.
    """
    # Set anew: a shell starts background jobs with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _up(port, host, show)
    except KeyboardInterrupt:
        out.print("Stopped.")


def _up(port: int, host: str, show: bool) -> None:
    from blocks import exposure, pages, prefect_server
    from blocks.kept import kept
    from flows.deployments import register
    from flows.pages import served

    exposure.refuse_open(host, os.environ)
    home = prefect_server.home_folder()
    home.mkdir(parents=True, exist_ok=True)
    os.environ["PREFECT_HOME"] = str(home)
    out.print(f"Starting Prefect on http://{prefect_server.HOST}:{port} (half a minute) ...", soft_wrap=True)
    with served(port + 1 if port < 65535 else 0) as address:
        os.environ[pages.ADDRESS] = address
        parts = {
            "Prefect's server": partial(prefect_server.server, port, home, host),
            "the worker": partial(prefect_server.worker, port, home),
        }
        with kept(parts) as running:
            form = register(port, home)
            told = {
                "Start a night:": f"{form}\n{'':16}choose a recipe, press Submit",
                "Watch nights:": f"http://{prefect_server.HOST}:{port}/runs",
                "Reports:": address,
                "Logs:": f"{home}/*.log",
            }
            out.print("\n".join(f"{what:<15} {where}" for what, where in told.items()), soft_wrap=True)
            out.print("Ctrl-C stops all.")
            if show:
                typer.launch(form)
            running.keep_up(lambda line: out.print(line, soft_wrap=True))
