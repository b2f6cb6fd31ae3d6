"""From where a night stands to OpenMetrics text on loopback, for whoever watches many machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from blocks.fleet import fleets, names
from blocks.replica import ReplicaStats
from nightschool.errors import WorldError
from tasks import crew, progress

_HOST = "127.0.0.1"
_ROWS = {
    "done": "rows that are there",
    "total": "rows that the phase is to have",
    "reused": "rows that were on file and cost nothing",
    "queued": "rows still to be asked",
    "chunks_done": "chunks that are whole",
    "chunks_total": "chunks that the phase has",
    "failed": "chunks that failed",
}
_SERVER = {
    "sent": "requests sent",
    "replies": "replies that came",
    "retries": "requests that were asked before and had failed",
    "failures": "rows given up",
    "tokens_in": "tokens of prompts",
    "tokens_out": "tokens of replies",
    "tokens_cached": "tokens of prompts that the server had in its cache",
    "latency_s": "seconds from request to reply, all replies added up",
}


@contextmanager
def metrics(port: int | None) -> Iterator[None]:
    """Serves `http://127.0.0.1:PORT/metrics` while inside; nothing without a port.

    Raises:
        WorldError: the port is taken.
    """
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    registry.register(_Night())
    try:
        server, thread = start_http_server(port, addr=_HOST, registry=registry)
    except OSError as err:
        mend = "give another one: serve.metrics_port"
        raise WorldError(f"metrics cannot be served on {_HOST}:{port}: {err.strerror or err}; {mend}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Night(Collector):
    """Looked at when somebody asks, so that it costs nothing else."""

    def collect(self) -> Iterable[Metric]:
        phases = progress.standing()
        for field, what in _ROWS.items():
            family = GaugeMetricFamily(f"nightschool_{_named(field)}", what, labels=["phase"])
            for event in phases:
                family.add_metric([event.phase], getattr(event, field))
            yield family
        yield from _asked(crew.replicas())
        yield from _kept_up()


def _named(field: str) -> str:
    return field if field.startswith("chunks") else "chunks_failed" if field == "failed" else f"rows_{field}"


def _asked(stats: list[ReplicaStats]) -> Iterator[Metric]:
    known = names()
    servers: dict[str, list[ReplicaStats]] = {}
    for one in stats:
        servers.setdefault(known.get(one.url, one.url), []).append(one)
    for field, what in _SERVER.items():
        name = "latency_seconds" if field == "latency_s" else field
        family = CounterMetricFamily(f"nightschool_{name}", what, labels=["server"])
        for server, group in servers.items():
            family.add_metric([server], sum(getattr(one, field) for one in group))
        yield family
    for field, what in (("in_flight", "requests under way"), ("limit", "requests that may be under way")):
        family = GaugeMetricFamily(f"nightschool_{field}", what, labels=["server"])
        for server, group in servers.items():
            family.add_metric([server], sum(getattr(one, field) for one in group))
        yield family


def _kept_up() -> Iterator[Metric]:
    up = GaugeMetricFamily("nightschool_server_up", "1 for a server that answers", labels=["server"])
    deaths = CounterMetricFamily("nightschool_server_deaths", "deaths in service", labels=["server"])
    memory = GaugeMetricFamily("nightschool_server_rss_bytes", "main memory of a server's processes", labels=["server"])
    for fleet in fleets():
        for server, state in fleet.states().items():
            up.add_metric([server], int(state == "up"))
        for server, count in fleet.deaths().items():
            deaths.add_metric([server], count)
        for server, held in fleet.memory().items():
            memory.add_metric([server], held)
    yield from (up, deaths, memory)
