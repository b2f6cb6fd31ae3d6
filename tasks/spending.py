"""From a night's journals to what a model has cost so far."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from blocks.journal import replies
from blocks.limits import cost
from nightschool.chunks import Chunk
from nightschool.wire import Endpoint
from tasks.night import Night

_lock = threading.Lock()


def with_spent(night: Night, chunk: Chunk, endpoint: Endpoint) -> Endpoint:
    """The endpoint with the money that this night spent on it before this process: a rerun forgets nothing.

    Read once a process: what it spends itself, the client counts.
    """
    if endpoint.budget is None:
        return endpoint
    mine = [(place.partition("/"), key) for place, key in night.keys.items()]
    folders = tuple(night.store.root / phase / key for (phase, _, part), key in mine if part == chunk.part)
    with _lock:
        tokens_in, tokens_out = _tokens(folders)
    return endpoint.model_copy(update={"spent": cost(endpoint.price_in, endpoint.price_out, tokens_in, tokens_out)})


@lru_cache(maxsize=64)
def _tokens(folders: tuple[Path, ...]) -> tuple[int, int]:
    """Tokens in and out over all journals in these folders, packed ones included."""
    paths = {
        path.with_suffix("") if path.suffix == ".zst" else path
        for one in folders
        for path in one.glob("*.journal.jsonl*")
    }
    tokens_in = tokens_out = 0
    for reply in (reply for path in paths for reply in replies(path)):
        tokens_in += reply.tokens_in
        tokens_out += reply.tokens_out
    return tokens_in, tokens_out
