"""Who may reach Prefect's server: this machine alone, or everybody who knows its password."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping

from nightschool.errors import RecipeError

LOOPBACK = "127.0.0.1"
_SERVER, _CLIENT = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there; a name is looked up by nobody and is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open(host: str, env: Mapping[str, str]) -> None:
    """See that a server that others reach asks for a password: whoever reaches it can run code and read blocks.

    Raises:
        RecipeError: it would listen beyond this machine, and asks for none.
    """
    if not is_loopback(host) and ":" not in env.get(_SERVER, ""):
        raise RecipeError(
            "whoever reaches Prefect's server can run code on its workers and read its blocks: set a password",
            field="--host",
            value=host,
            allowed=f"{LOOPBACK}, or {_SERVER}=user:password in the environment (clients: {_CLIENT})",
        )


def password(env: Mapping[str, str]) -> dict[str, str]:
    """What clients of a server with a password need beside it."""
    return {_CLIENT: env[_SERVER]} if env.get(_SERVER) and not env.get(_CLIENT) else {}


def headers(env: Mapping[str, str]) -> dict[str, str]:
    """What a request to the server says of who asks."""
    said = env.get(_CLIENT) or env.get(_SERVER)
    return {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"} if said else {}
