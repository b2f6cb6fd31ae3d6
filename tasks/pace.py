"""From the client's counts to numbers for operators: how fast replies come, what is in flight, what went wrong."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from blocks.replica import ReplicaStats

_WINDOW_S = 10.0
_LEAST_S = 0.2


@dataclass(frozen=True, slots=True)
class ServerPace:
    """One server: rates over the last ten seconds, requests in flight of those that it may have, counts of the phase.

    `tokens_cached` of its prompts' `tokens_in` came from its cache, where it says so. `state` is the client's view of
    it: up, resting or down.
    """

    server: str
    requests_s: float = 0.0
    tokens_s: float = 0.0
    in_flight: int = 0
    limit: int = 0
    retries: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    state: str = "up"

    @property
    def hits(self) -> str:
        """The share of its prompts that it had in its cache, in words; empty where it says nothing of one."""
        return f"{self.tokens_cached / self.tokens_in:.0%}" if self.tokens_cached else ""


@dataclass(frozen=True, slots=True)
class Pace:
    """All servers that a phase asks together, and each of them. `tokens_s` counts those that were generated."""

    requests_s: float
    tokens_s: float
    in_flight: int
    limit: int
    retries: int
    failures: int
    servers: tuple[ServerPace, ...]

    @property
    def hits(self) -> str:
        """As of a server, over all."""
        tokens_in, cached = (sum(getattr(one, name) for one in self.servers) for name in ("tokens_in", "tokens_cached"))
        return ServerPace("all", tokens_in=tokens_in, tokens_cached=cached).hits


@dataclass(frozen=True, slots=True)
class _Counts:
    replies: int
    tokens_out: int
    retries: int
    failures: int
    tokens_in: int
    tokens_cached: int


class Meter:
    """Measures one phase from its begin.

    Args:
        look: the client's counts, one for each server.
        names: servers of ours by URL; others are called by their URL.
    """

    def __init__(
        self, look: Callable[[], Sequence[ReplicaStats]], names: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        self._look, self._names = look, names
        self._seen: deque[tuple[float, dict[str, _Counts]]] = deque([(time.monotonic(), _counted(look()))])
        self._began = self._seen[0]

    def read(self, *, whole: bool = False) -> Pace | None:
        """The pace now, or with `whole` that of the whole phase; None while nothing has been asked in it."""
        stats, now = self._look(), time.monotonic()
        counts = _counted(stats)
        while len(self._seen) > 1 and now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        since, before = self._began if whole else self._seen[0]
        if now - self._seen[-1][0] >= _LEAST_S:
            self._seen.append((now, counts))
        names = self._names()
        servers = tuple(
            self._server(names.get(url, url), group, counts[url], before.get(url, _NOTHING), now - since)
            for group in _by_url(stats)
            for url in [group[0].url]
        )
        asked = tuple(one for one, busy in zip(servers, map(self._busy, _by_url(stats)), strict=True) if busy)
        return _together(asked) if asked else None

    def _busy(self, group: Sequence[ReplicaStats]) -> bool:
        """Whether the phase asked this server: one of an earlier phase keeps its counts and has nothing to say."""
        url = group[0].url
        return any(one.in_flight for one in group) or _counted(group)[url] != self._began[1].get(url, _NOTHING)

    def _server(
        self, name: str, group: Sequence[ReplicaStats], now: _Counts, then: _Counts, gone_s: float
    ) -> ServerPace:
        first = self._began[1].get(group[0].url, _NOTHING)
        gone_s = max(gone_s, _LEAST_S)
        return ServerPace(
            server=name,
            requests_s=(now.replies - then.replies) / gone_s,
            tokens_s=(now.tokens_out - then.tokens_out) / gone_s,
            in_flight=sum(one.in_flight for one in group),
            limit=max(one.limit for one in group),
            retries=now.retries - first.retries,
            failures=now.failures - first.failures,
            tokens_in=now.tokens_in - first.tokens_in,
            tokens_cached=now.tokens_cached - first.tokens_cached,
            state=group[-1].state,
        )


_NOTHING = _Counts(0, 0, 0, 0, 0, 0)


def _by_url(stats: Iterable[ReplicaStats]) -> list[list[ReplicaStats]]:
    """A server that is asked under two concurrencies is listed twice, and is one."""
    found: dict[str, list[ReplicaStats]] = defaultdict(list)
    for one in stats:
        found[one.url].append(one)
    return list(found.values())


def _counted(stats: Iterable[ReplicaStats]) -> dict[str, _Counts]:
    return {
        group[0].url: _Counts(*(sum(getattr(one, name) for one in group) for name in _Counts.__slots__))
        for group in _by_url(stats)
    }


def _together(servers: tuple[ServerPace, ...]) -> Pace:
    return Pace(
        requests_s=sum(one.requests_s for one in servers),
        tokens_s=sum(one.tokens_s for one in servers),
        in_flight=sum(one.in_flight for one in servers),
        limit=sum(one.limit for one in servers),
        retries=sum(one.retries for one in servers),
        failures=sum(one.failures for one in servers),
        servers=servers,
    )


def describe_pace(pace: Pace, queued: int = 0) -> str:
    """A few words for a line: "38 req/s, 1,240 tok/s, 64 in flight, 4,100 queued, 62% from cache, 3 retries"."""
    parts = [f"{shown(pace.requests_s)} req/s", f"{shown(pace.tokens_s)} tok/s"]
    parts += [f"{pace.in_flight} in flight"] if pace.in_flight else []
    parts += [f"{queued:,} queued"] if queued else []
    parts += [f"{pace.hits} from cache"] if pace.hits else []
    parts += [f"{pace.retries:,} {'retry' if pace.retries == 1 else 'retries'}"] if pace.retries else []
    parts += [f"{pace.failures:,} given up"] if pace.failures else []
    away = [one.server for one in pace.servers if one.state != "up"]
    return ", ".join(parts + ([f"{', '.join(away)} away"] if away else []))


def shown(rate: float) -> str:
    """A rate with as many digits as are worth reading."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
