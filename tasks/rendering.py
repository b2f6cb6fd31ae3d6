"""That a served student's prompts are, token by token, those that it was trained on."""

from __future__ import annotations

from pathlib import Path

from blocks.rendering import served_tokens
from nightschool.errors import DataError
from nightschool.rendering import PROBES_FILE, Probes, Tokens, difference
from nightschool.wire import Endpoint
from tasks.night import Night


def same_prompts(night: Night, endpoint: Endpoint, trained: Path) -> dict[str, int]:
    """`compared`, once in a process for each server and stage."""
    return night.once(f"prompts {endpoint.model} {endpoint.urls[0]} {trained}", lambda: compared(endpoint, trained))


def compared(endpoint: Endpoint, trained: Path) -> dict[str, int]:
    """Compares a server's token ids with training's.

    Args:
        trained: a stage's output folder, which holds some of its prompts.

    Returns:
        How many prompts were compared: none for a server that tells no tokens.

    Raises:
        DataError: they differ; says where first.
        WorldError: the server cannot be asked.
    """
    file = trained / PROBES_FILE
    probes = Probes.model_validate_json(file.read_bytes()).probes
    served = served_tokens(endpoint, [probe.messages for probe in probes])
    if served is None:
        return {"compared": 0}
    for probe, found in zip(probes, served, strict=True):
        if parted := difference(Tokens("trained", probe.ids, probe.pieces), found):
            raise DataError(f"{endpoint.model}: in the prompt of row {probe.id}, {parted}", file=file)
    return {"compared": len(probes)}
