"""The account of what a night has spent on a model: on file beside the night, whoever asks and however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nightschool.wire import Endpoint
from tasks.night import Night


@contextmanager
def accounted(night: Night, model: str, endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint with the night's account of it, if it has a budget; other machines find the account afterwards."""
    if endpoint.budget is None:
        yield endpoint
        return
    account = night.dir / "spent" / f"{model}.json"
    night.store.bring(f"nights/{night.name}/spent")
    try:
        yield endpoint.model_copy(update={"account": str(account)})
    finally:
        if account.exists():
            night.store.mirror(account)
