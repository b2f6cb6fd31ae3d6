"""Whether the recipe's runner can make chunks: its packages, its cluster, its way to Prefect's server."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

import psutil

from blocks.places import is_shared
from blocks.preflight.check import Check, fail, ok, warn
from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.recipe import Recipe
from nightschool.recipe.runner import is_loopback

_NEEDED = {"ray": ("ray", "prefect_ray"), "dask": ("distributed", "prefect_dask")}
_REACH_S = 5.0


def runner_checks(recipe: Recipe) -> list[Check]:
    """One check for each thing that is wrong, or one that says where chunks are made; none for threads."""
    runner = recipe.runner
    if runner.kind == "threads":
        return []
    title = f"runner {runner.kind}"
    bad = [*_lacks(recipe), *_silent(recipe), *_distant(recipe, os.environ.get("PREFECT_API_URL"))]
    found = [fail(title, why, mend) for _, why, mend in bad]
    if not runner.is_near and not is_shared(recipe.store):
        found.append(
            warn(title, f"store {recipe.store} must be the same folder on every machine", "store: s3://BUCKET/PREFIX")
        )
    return found or [ok(title, f"at {runner.address}" if runner.address else "on this machine")]


def refuse_runner(recipe: Recipe, api_url: str | None) -> None:
    """Ends a night whose runner cannot work before it has begun.

    Args:
        api_url: of the Prefect server that the night reports to.

    Raises:
        RecipeError: a package is missing, or the workers could not reach the server; names field, value and mend.
        WorldError: the cluster does not answer.
    """
    for field, why, mend in (*_lacks(recipe), *_distant(recipe, api_url)):
        raise RecipeError(why, field=field, value=recipe.runner.kind, allowed=mend)
    for _, why, mend in _silent(recipe):
        raise WorldError(f"{why}: {mend}")


def _lacks(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    kind = recipe.runner.kind
    if missing := [name for name in _NEEDED.get(kind, ()) if find_spec(name) is None]:
        yield (
            "runner",
            f"not installed: {', '.join(missing)}",
            f"pip install 'nightschool[{kind}]', or threads or processes, which need nothing more",
        )


def _distant(recipe: Recipe, api_url: str | None) -> Iterator[tuple[str, str, str]]:
    """Tasks tell Prefect's server themselves how they end, so their machine must reach it."""
    host = urlsplit(api_url).hostname if api_url else None
    at = recipe.runner.at
    if at and not recipe.runner.is_near and not _is_ours(at.host) and (host is None or is_loopback(host)):
        yield (
            "runner.address",
            f"workers on {at.host} cannot report to a Prefect server on this machine's loopback",
            "PREFECT_API_URL=http://HOST:4200/api, as the workers reach it",
        )


def _is_ours(host: str) -> bool:
    """Whether it is an address of this machine, whose loopback its workers share."""
    return any(one.address == host for found in psutil.net_if_addrs().values() for one in found)


def _silent(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    if recipe.runner.at is None:
        return
    try:
        socket.create_connection((recipe.runner.at.host, recipe.runner.at.port), timeout=_REACH_S).close()
    except OSError as err:
        why = f"no {recipe.runner.kind} cluster answers at {recipe.runner.address} ({err.strerror or err})"
        yield "runner.address", why, "start it, or leave the address out for one on this machine"
