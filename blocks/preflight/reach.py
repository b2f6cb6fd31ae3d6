"""Whether endpoints, the hub and Prefect's server answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from typing import Any

import aiohttp

from blocks.preflight.check import Check, fail, ok
from nightschool.recipe.models import Model

_TIMEOUT = aiohttp.ClientTimeout(total=8)
_MOST_NAMES = 8


def reach_checks(endpoints: Sequence[Model], downloads: Sequence[Model]) -> list[Check]:
    """Ask all of them side by side: endpoints for their models, the hub for each model's config."""

    async def look() -> list[Check]:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
            asked: list[Coroutine[Any, Any, Check]] = [
                _endpoint(session, model, url) for model in endpoints for url in model.urls
            ]
            asked += [_hub(session, model) for model in downloads]
            if url := os.environ.get("PREFECT_API_URL"):
                asked.append(_prefect(session, url))
            return list(await asyncio.gather(*asked))

    return asyncio.run(look())


async def _endpoint(session: aiohttp.ClientSession, model: Model, url: str) -> Check:
    title = f"endpoint of {model.name}"
    key = os.environ.get(model.key_env or "", "")
    if model.key_env and not key:
        return fail(title, f"variable {model.key_env} is not set", f"export {model.key_env}=...")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with session.get(f"{url.rstrip('/')}/models", headers=headers) as answer:
            if answer.status in (401, 403):
                return fail(title, f"{url} refuses the key (status {answer.status})", "key_env names another variable?")
            if answer.status != 200:
                return fail(title, f"{url}/models answers status {answer.status}", "does the URL end in /v1?")
            listed = (await answer.json(content_type=None))["data"]
            names = [str(each["id"]) for each in listed]
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        return fail(title, f"{url} does not answer: {err or type(err).__name__}", "is the server up? a proxy between?")
    except (ValueError, KeyError, TypeError):
        return fail(title, f"{url}/models is no list of models", "is this an OpenAI-compatible server?")
    if model.model not in names:
        return fail(title, f"{url} has no model {model.model}", f"model: {', '.join(names[:_MOST_NAMES])}")
    return ok(title, f"{url} has {model.model}")


async def _hub(session: aiohttp.ClientSession, model: Model) -> Check:
    title, hub = f"model of {model.name}", os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    mend = f"download it where there is a network (hf download {model.model}), or name a folder"
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        return fail(title, f"{model.model} is not on this machine, and HF_HUB_OFFLINE is set", mend)
    token = os.environ.get("HF_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with session.head(f"{hub}/{model.model}/resolve/main/config.json", headers=headers) as answer:
            if answer.status in (401, 403):
                return fail(title, f"{model.model} is gated, private or not there", "accept its terms, set HF_TOKEN")
            if answer.status == 404:
                return fail(title, f"the hub has no {model.model}", "check the name")
            return ok(title, f"{model.model} will be downloaded from {hub}")
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        return fail(title, f"{model.model} is not on this machine, {hub} does not answer: {err or 'no time'}", mend)


async def _prefect(session: aiohttp.ClientSession, url: str) -> Check:
    mend = "start it (make server), or unset PREFECT_API_URL: the night then brings its own"
    try:
        async with session.get(f"{url.rstrip('/')}/health") as answer:
            if answer.status == 200:
                return ok("prefect", f"{url} answers")
            return fail("prefect", f"{url}/health answers status {answer.status}", mend)
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        return fail("prefect", f"{url} does not answer: {err or 'no time'}", mend)
