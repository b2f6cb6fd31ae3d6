"""From the name of a block on Prefect's server to what it says; its secrets go into the environment and nowhere else.

There the processes that a night starts find them as they find any other key, and no recipe, journal or log has them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nightschool.errors import RecipeError, WorldError
from nightschool.recipe.blocks import PREFIX, Kind

SLUGS: dict[Kind, str] = {
    "endpoint": "nightschool-endpoint",
    "server": "nightschool-model-server",
    "trainer": "nightschool-trainer",
    "store": "nightschool-store",
    "notifier": "nightschool-notifier",
}


def say(kind: Kind, name: str) -> dict[str, Any]:
    """What a block says, as a recipe would have it.

    Raises:
        RecipeError: no server is named, or it has no such block.
        WorldError: the server does not answer.
    """
    if kind == "notifier" and "/" in name:
        document(*name.split("/", 1))  # one of Prefect's own: it is loaded when there is something to tell
        return {}
    found = {field: value for field, value in document(SLUGS[kind], name).items() if value not in (None, [], {})}
    if kind in ("store", "notifier"):
        os.environ[_variable(kind, name)] = json.dumps(found)
        return {}
    key = found.pop("key", None)
    if kind == "endpoint":
        found["engine"] = "endpoint"
        if key:
            found["key_env"] = _variable(kind, name)
            os.environ[found["key_env"]] = key
    return found


def secrets_of(kind: Kind, place: str) -> dict[str, Any]:
    """All that a store or a notifier says, secrets too; asked of the server once for all processes of a night.

    Args:
        place: as a recipe has it, block/NAME.
    """
    name = place.removeprefix(PREFIX)
    if _variable(kind, name) not in os.environ:
        say(kind, name)
    return json.loads(os.environ[_variable(kind, name)])


def document(slug: str, name: str) -> dict[str, Any]:
    """A block's fields as they lie on the server.

    Raises:
        RecipeError: no server is named, or it has no such block.
        WorldError: the server does not answer, or asks for a password.
    """
    # Here, for they take a second and a half: a recipe without blocks needs neither.
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with reaching(), get_client(sync_client=True) as client:
        try:
            found = client.read_block_document_by_name(name, slug, include_secrets=True)
        except ObjectNotFound:
            mend = "Blocks in its UI, after `nightschool blocks register`"
            raise RecipeError(f"Prefect's server has no {slug} of that name", value=name, allowed=mend) from None
    return dict(found.data)


@contextmanager
def reaching() -> Iterator[None]:
    """Around what is asked of Prefect's server.

    Raises:
        RecipeError: no server is named.
        WorldError: it does not answer, or asks for a password.
    """
    import httpx
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        mend = "PREFECT_API_URL of one that runs (make server), or what the block would say"
        raise RecipeError("blocks lie on Prefect's server, and none is named", allowed=mend)
    try:
        yield
    except httpx.HTTPStatusError as err:
        raise WorldError(f"Prefect's server answers status {err.response.status_code}") from None
    except (httpx.HTTPError, OSError) as err:  # of which the words may hold an address with a password
        raise WorldError(f"Prefect's server cannot be asked ({type(err).__name__})") from None


def _variable(kind: Kind, name: str) -> str:
    return f"NIGHTSCHOOL_{kind.upper()}_{name.upper().replace('-', '_').replace('/', '_')}"
