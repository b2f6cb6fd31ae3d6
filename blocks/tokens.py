"""From a tokenizer's name or folder to a count of tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson

from nightschool.errors import RecipeError, WorldError


def counter(name: str) -> Callable[[str], int]:
    """Tokens of a text, without the ones that mark its beginning and end.

    Args:
        name: a folder with tokenizer.json, that file itself, or a model's name on the hub.

    Raises:
        RecipeError: there is no tokenizer.json, or it is none.
        WorldError: the hub has no such tokenizer, or cannot be reached.
    """
    from tokenizers import Tokenizer  # 0.1 s, and most commands count nothing

    text = _file(name).read_text(encoding="utf-8", errors="replace")
    try:
        whole = isinstance(orjson.loads(text)["model"]["vocab"], dict | list)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise RecipeError("not a tokenizer.json: it has no model with a vocab", field="--tokenizer", value=name)
    tokenizer = Tokenizer.from_str(text)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _file(name: str) -> Path:
    place = Path(name)
    if place.is_file():
        return place
    if (place / "tokenizer.json").is_file():
        return place / "tokenizer.json"
    if place.exists() or name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise RecipeError("there is no tokenizer.json", field="--tokenizer", value=name,
                          allowed="a model's folder, its tokenizer.json, or a name on the hub")  # fmt: skip
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(name, "tokenizer.json"))
    except (OSError, ValueError) as err:
        why = str(err).strip().splitlines() or [type(err).__name__]
        raise WorldError(f"no tokenizer of {name} here or on the hub: {why[0]:.200}") from None
