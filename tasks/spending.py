"""The account of what a night has spent on a model: on file beside the night, whoever asks and however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blocks.purse import spent_at_most
from nightschool.wire import Endpoint
from tasks.night import Night


@contextmanager
def accounted(night: Night, model: str, endpoint: Endpoint) -> Iterator[Endpoint]:
    """The endpoint with the night's account of it, if it has a budget; other machines find the account afterwards."""
    if endpoint.budget is None:
        yield endpoint
        return
    account = _account(night, model)
    night.store.bring(f"nights/{night.name}/spent")
    try:
        yield endpoint.model_copy(update={"account": str(account)})
    finally:
        if account.exists():
            night.store.mirror(account)


def spent(night: Night) -> dict[str, float]:
    """Money at most, over all runs of the night, by model where one has a budget."""
    return {
        model.name: spent_at_most(_account(night, model.name))
        for model in night.recipe.models
        if model.budget is not None
    }


def _account(night: Night, model: str) -> Path:
    return night.dir / "spent" / f"{model}.json"
