"""Files to a model's repository on the hub, with a token from the environment or from Prefect that no message shows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from nightschool.errors import RecipeError, WorldError

BLOCK = "nightschool-hub-token"
_VARIABLE = "HF_TOKEN"


def token() -> str:
    """The hub's token: HF_TOKEN, else the Secret block of that name on the Prefect server that is configured.

    Raises:
        RecipeError: there is neither.
    """
    if found := os.environ.get(_VARIABLE):
        return found
    if os.environ.get("PREFECT_API_URL"):
        from prefect.blocks.system import Secret

        try:
            return str(Secret.load(BLOCK, _sync=True).get())  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
        except ValueError:  # no such block
            pass
    raise RecipeError("no token for the hub", allowed=f"export {_VARIABLE}=..., or a Secret block {BLOCK} in Prefect")


def upload(repo: str, files: Mapping[str, Path], *, private: bool, secret: str, message: str) -> str:
    """Has the files in a repository, which is made if it is not there, in one commit; the commit's address.

    Raises:
        WorldError: the hub refuses or can't be reached; said without the token.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if find_spec("huggingface_hub") is None:
        raise WorldError("the huggingface_hub library pushes to the hub; install nightschool[train]")
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HTTPError  # pyright: ignore[reportPrivateImportUsage] - of its HTTP client

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=secret)
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        adds = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(path)) for name, path in files.items()]
        done = api.create_commit(repo, adds, commit_message=message)
    except (
        HTTPError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:  # what the library raises for no access, name or network
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WorldError(f"{repo} could not be pushed: {why.replace(secret, '***')}") from None
    return done.commit_url
