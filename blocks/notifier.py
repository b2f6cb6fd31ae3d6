"""A message to where a block, or a variable, says: by Apprise, which speaks to Slack, mail servers and the like."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blocks.said import reaching, secrets_of
from nightschool.errors import RecipeError, WorldError

# They write whole addresses into the log, passwords and all.
_TALKERS = ("apprise", "httpx", "httpcore", "urllib3", "requests", "prefect.events", "prefect.utilities.urls")


def send(recipient: str, subject: str, body: str) -> None:
    """Sends a message, within seconds.

    Args:
        recipient: as in `nightschool.recipe.notify`.

    Raises:
        WorldError: it was not taken; the message holds nothing of the address.
        RecipeError: there is no such block.
    """
    with _silent():
        if not _sent(recipient, subject, body):
            raise WorldError(f"{recipient} could not be told: its server does not answer, or refuses")


def _sent(recipient: str, subject: str, body: str) -> bool:
    kind, _, name = recipient.partition("/")
    if kind == "block" and "/" in name:
        return _by_prefect(name, subject, body)
    if kind == "env":
        if not (url := os.environ.get(name, "")):
            raise WorldError(f"{recipient} could not be told: the variable, which holds the address, is not set")
    else:
        url = str(secrets_of("notifier", recipient)["url"])
    known = _understood(url)
    if not known:
        raise WorldError(f"{recipient} could not be told: Apprise does not understand its address")
    return bool(known.notify(title=subject, body=body))


def _understood(url: str) -> Any:
    """The services that an address is of, for Apprise; false if there is none."""
    from apprise import Apprise

    known = Apprise()
    scheme, _, rest = url.partition("://")
    if not known.add(url) and scheme in ("http", "https"):
        known.add(f"{'json' if scheme == 'http' else 'jsons'}://{rest}")  # of no service that it knows: gets JSON
    return known


def _by_prefect(name: str, subject: str, body: str) -> bool:
    import httpx
    import prefect.blocks.notifications  # noqa: F401 - a kind is known once its module is loaded
    from prefect.blocks.abstract import NotificationBlock, NotificationError
    from prefect.blocks.core import Block

    try:
        with reaching():
            block = Block.load(name, _sync=True)  # type: ignore[call-arg]
    except ValueError:  # it has gone since the recipe was read
        raise WorldError(f"block/{name} could not be told: there is no such block any more") from None
    if not isinstance(block, NotificationBlock):
        raise RecipeError("this block is no notifier", field="notify.to", value=f"block/{name}")
    try:
        with block.raise_on_failure():
            block.notify(body, subject, _sync=True)  # type: ignore[call-arg, unused-coroutine]
    except (NotificationError, httpx.HTTPError, OSError, ValueError, KeyError):  # their words may hold the address
        return False
    return True


@contextmanager
def _silent() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _TALKERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
