"""Addresses in a recipe: they are written down and shown, so that none may hold a secret."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from nightschool.recipe.section import Clash, Line

_PASSWORD = re.compile(r"://[^/?#]*:[^/?#]*@")
_TOKEN = re.compile(r"[?&#;][^=]*(key|token|secret|sig|signature|password|passwd|auth)[^=]*=", re.IGNORECASE)


def says_secret(url: str) -> bool:
    """Whether there is a password or a token in it."""
    return bool(_PASSWORD.search(url) or _TOKEN.search(url))


def _without_secret(url: str) -> str:
    if says_secret(url):
        mend = "key_env, a block of Prefect's server (docs/blocks.md), or the environment"
        raise Clash("an address holds no password and no token: it is written down", allowed=mend, secret=True)
    return url


Address = Annotated[Line, AfterValidator(_without_secret)]
