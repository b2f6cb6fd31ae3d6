"""From specs to running model servers that are kept up and end with the night, however it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from blocks.fleet_key import fleet_key, let_go
from blocks.pid_file import reap
from blocks.servers import PAID, ServerSpec
from blocks.supervised import Death, State, Supervised
from nightschool.errors import NightError, RecipeError, WorldError
from nightschool.wire import Endpoint

_POLL_S = 0.1
_PROGRESS_S = 10.0
# So long after a client gave up, the death that it met has been noticed for sure.
_NOTICED_S = 2.0

_fleets: list[Fleet] = []
_names: dict[str, str] = {}


class Fleet:
    """The model servers of a night, every replica of every model: up together, known by their endpoints.

    While they are up a thread watches them: one that dies is started again on its port while the others go on.

    Args:
        log_dir: takes `<name>-<replica>.log` and `<name>-<replica>.pid.json` of every server.
        on_progress: gets a line for a person now and then while servers start, and when one dies.
        on_death: gets every death in service; its line goes to `on_progress` by default. Called from any thread.

    Raises:
        RecipeError: two models have the same name.
    """

    def __init__(
        self,
        specs: Sequence[ServerSpec],
        *,
        log_dir: Path,
        on_progress: Callable[[str], None],
        on_death: Callable[[Death], None] | None = None,
    ) -> None:
        names = [name for spec in specs for name in spec.served]
        if twice := {name for name in names if names.count(name) > 1}:
            raise RecipeError("two models are served under the same name", value=sorted(twice))
        self._key_env, self._key = fleet_key()
        self._specs, self._log_dir, self._on_progress = tuple(specs), log_dir, on_progress
        died = on_death or (lambda death: on_progress(death.line))
        self._servers = {
            spec.name: tuple(
                Supervised(spec, number, key=self._key, log_dir=log_dir, say=on_progress, on_death=died)
                for number in range(spec.replicas)
            )
            for spec in specs
            if spec.engine != "endpoint"
        }
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._watch: threading.Thread | None = None

    def start(self) -> dict[str, Endpoint]:
        """Start what isn't running and wait until all of it answers; safe to call again, also after a failure.

        Goes on without a replica that does not come up while another of its model does.

        Returns:
            The endpoint of every model and adapter, by name: one URL for each replica.

        Raises:
            RecipeError: a server can't be started as specified.
            WorldError: no server of a model comes up in time, with the end of its log; or `stop` was called meanwhile.
        """
        self._prepare()
        with self._changed:
            for server in self._all():
                server.start()
            if self._watch is None:
                self._ending.clear()
                self._watch = threading.Thread(target=self._keep_up, name="fleet", daemon=True)
                self._watch.start()
                _fleets.append(self)
            self._wait()
            _names.update(self.urls())
            return {name: self._endpoint(spec, name) for spec in self._specs for name in spec.served}

    def stop(self) -> None:
        """End every server: all are told at once, then waited for. A start under way in another thread gives up."""
        self._ending.set()
        with self._changed:
            self._changed.notify_all()
            watch, self._watch = self._watch, None
        if watch is not None:
            watch.join()
            _fleets.remove(self)
        with self._changed:
            for server in self._all():
                server.tell_to_end()
            for server in self._all():
                server.end()
            let_go(self._key_env)

    def memory(self) -> dict[str, int]:
        """Bytes of main memory (RSS) held by each server with all its processes, by name; only those that are up."""
        with self._changed:
            return {server.name: server.rss_bytes() for server in self._all() if server.state == "up"}

    def states(self) -> dict[str, State]:
        """What each server is at, by name."""
        return {server.name: server.state for server in self._all()}

    def urls(self) -> dict[str, str]:
        """The name of each server that has been started, by URL."""
        return {server.url: server.name for server in self._all() if server.port}

    def deaths(self) -> dict[str, int]:
        """How often each server died in service, by name."""
        return {server.name: server.deaths for server in self._all()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def behind(self, endpoint: Endpoint) -> list[Supervised]:
        """The servers of ours that an endpoint leads to."""
        return [server for server in self._all() if server.url in endpoint.urls]

    def await_revival(self, servers: Sequence[Supervised], *, since: int, error: WorldError) -> None:
        """See `outlast`."""
        noticed = time.monotonic() + _NOTICED_S
        with self._changed:
            while sum(server.deaths for server in servers) <= since and not any(server.coming for server in servers):
                if self._ending.is_set() or time.monotonic() > noticed:
                    raise error
                self._changed.wait(_POLL_S)
            while not any(server.state == "up" for server in servers):
                if self._ending.is_set():
                    raise error
                if not any(server.coming for server in servers):
                    last = next((server.error for server in servers if server.error), error)
                    raise WorldError(f"{last}\nno server of {servers[0].spec.name} is left")
                self._changed.wait(_POLL_S)

    def _all(self) -> list[Supervised]:
        return [server for replicas in self._servers.values() for server in replicas]

    def _prepare(self) -> None:
        os.environ[self._key_env] = self._key
        try:
            self._log_dir.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise WorldError(f"no folder for the logs of model servers: {err}") from None
        for name in reap(self._log_dir):
            self._on_progress(f"{name}: ended what an earlier night left")

    def _keep_up(self) -> None:
        while not self._ending.wait(_POLL_S):
            with self._changed:
                for server in self._all():
                    server.look()
                self._changed.notify_all()

    def _wait(self) -> None:
        """Until no server is on its way up any more; raises as soon as a model has none left."""
        said = time.monotonic()
        while True:
            for replicas in self._servers.values():
                if not any(server.coming or server.state == "up" for server in replicas):
                    raise next((server.error for server in replicas if server.error), _stopped())
            if not any(server.coming for server in self._all()):
                return
            if time.monotonic() - said > _PROGRESS_S:
                said = time.monotonic()
                for server in self._all():
                    if server.coming:
                        self._on_progress(server.describe_start())
            self._changed.wait(_POLL_S)
            if self._ending.is_set():
                raise _stopped()

    def _endpoint(self, spec: ServerSpec, name: str) -> Endpoint:
        remote = spec.engine == "endpoint"
        return Endpoint(
            model=spec.model if remote and name == spec.name else name,
            urls=spec.urls if remote else tuple(server.url for server in self._servers[spec.name]),
            key_env=spec.key_env if remote else self._key_env,
            concurrency=spec.concurrency,
            most_concurrency=spec.most_concurrency,
            timeout_s=spec.request_timeout_s,
            attempts=spec.attempts,
            retries_per_row=spec.retries_per_row,
            max_model_len=spec.max_model_len,
            **{field: getattr(spec, field) for field in PAID},
        )


def _stopped() -> NightError:
    return WorldError("the model servers were stopped while they started")


def fleets() -> list[Fleet]:
    """Those of this process that are up."""
    return list(_fleets)


def names() -> dict[str, str]:
    """The name of each server that this process ever had, by URL: counts of one that came again add up."""
    for fleet in fleets():
        _names.update(fleet.urls())
    return dict(_names)


def outlast(endpoint: Endpoint, ask: Callable[[], None]) -> None:
    """Call `ask` until it has asked all; when the servers behind the endpoint die under it, again once one is back.

    Raises:
        WorldError: as `ask` raised it, if no server of ours died; or none is left, with the end of a log.
    """
    fleet = next((one for one in fleets() if one.behind(endpoint)), None)
    while True:
        servers = fleet.behind(endpoint) if fleet else []
        since = sum(server.deaths for server in servers)
        try:
            return ask()
        except WorldError as error:
            if fleet is None or not servers:
                raise
            fleet.await_revival(servers, since=since, error=error)
