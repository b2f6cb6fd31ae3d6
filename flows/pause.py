"""A run of Prefect that waits behind a form, and what is filled in there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
from prefect.client.orchestration import get_client
from prefect.input import RunInput, keyset_from_paused_state
from prefect.states import Paused, Running
from prefect.utilities.engine import propose_state_sync
from pydantic import create_model

from nightschool.errors import WorldError

# Prefect fails a run that is resumed later than this; a night has its own time to go on at.
_LIMIT = timedelta(days=365)


class Pause:
    """One form at a time. Prefect's own `pause_flow_run` looks at nothing but the form while it waits, and fails the
    run when its time is up; here whoever waits may look elsewhere as well, and go on at any time.

    Every method but `answer` raises httpx.HTTPError where the server is away, and may be called again.
    """

    def __init__(self, run: UUID) -> None:
        self._run = run
        self._keys: dict[str, str] | None = None

    @property
    def shows(self) -> bool:
        """Whether a form is up that nobody has filled in, as far as it is known here."""
        return self._keys is not None

    def show(self, title: str, fields: Mapping[str, tuple[Any, Any]], description: str) -> None:
        """Pauses the run behind a form, in place of the one before."""
        self.close()
        state = Paused(pause_expiration_time=datetime.now(UTC) + _LIMIT, pause_key=str(uuid4()))
        keyset = keyset_from_paused_state(state)
        state.state_details.run_input_keyset = keys = {str(name): key for name, key in keyset.items()}
        kind: type[RunInput] = create_model(title, __base__=RunInput, **dict[str, Any](fields))
        with get_client(sync_client=True) as client:
            propose_state_sync(client=client, state=state, flow_run_id=self._run)
        kind.with_initial_data(description=description).save(keyset, flow_run_id=self._run)
        self._keys = keys

    def answer(self) -> dict[str, Any] | None:
        """What was filled in, once; None if nothing was, or the server is away.

        Raises:
            WorldError: somebody ended the run.
        """
        if self._keys is None:
            return None
        try:
            with get_client(sync_client=True) as client:
                state = client.read_flow_run(self._run).state
                if state is None or state.is_paused():
                    return None
                if not state.is_running():
                    raise WorldError(f"the run was ended in Prefect while it waited for people ({state.name})")
                found = client.read_flow_run_input(self._run, self._keys["response"])
        except httpx.HTTPStatusError as err:
            if err.response.status_code == 404:  # resumed without a word
                self._keys = None
            return None
        except httpx.HTTPError:
            return None
        self._keys = None
        return orjson.loads(found)

    def close(self) -> None:
        """Lets the run go on without an answer."""
        if self._keys is None:
            return
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(self._run, Running(), force=True)
        self._keys = None
