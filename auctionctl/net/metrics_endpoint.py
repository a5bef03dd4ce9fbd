"""``serve --metrics``: what a house measures, in the text format of Prometheus, for whoever scrapes it.

Rule: it answers with what the house last said, from memory, in a thread of its own: a scraper that hangs holds up
nothing. It listens where it is told to; the loopback interface is the caller's default. Names follow Prometheus's
conventions: seconds and bytes, ``_total`` for what only grows. Source: https://prometheus.io/docs/practices/naming/.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIServer

from msgspec.structs import replace

from auctionctl.auction.phase import EndReason, Phase
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import ConfigurationError
from auctionctl.net.process_state import own_state
from auctionctl.wire.measures import Measures, ProcessMeasure

if TYPE_CHECKING:
    from prometheus_client.core import Metric

STALE_S: Final = 10.0
"""A house that has said nothing for so long is not up."""
GROWING: Final = MappingProxyType(
    {
        "requests": "Requests that the house has judged.",
        "batches": "Batches in which it judged them.",
        "commits": "Writes that were made durable: batches, and what the house had to say besides.",
        "acknowledged": "Receipts given out.",
        "checked": "Requests whose signatures the verifiers have found to be right.",
        "forged": "Requests whose signatures were wrong.",
    }
)
"""Amount of ``measures`` that only grows → what it is."""
STANDING: Final = MappingProxyType(
    {
        "queue": ("queue_requests", "Requests that wait in the house's queue."),
        "queue_limit": ("queue_limit_requests", "How many may wait there."),
        "sessions": ("sessions", "Sessions that have been greeted."),
        "connections": ("connections", "Connections to the gateway."),
        "under_way": ("under_way_requests", "Requests that the gateway has taken and that are not answered yet."),
        "store_bytes": ("store_bytes", "Size of the store on disk."),
        "auctions_open": ("auctions_open", "Auctions held here whose bidding has not ended."),
        "auctions_unfinished": (
            "auctions_unfinished",
            "Auctions held here with an end to come, of bidding or settlement.",
        ),
    }
)
"""Amount of ``measures`` that goes up and down → name and what it is."""
FAMILIES: Final = MappingProxyType(
    {
        "auctions": ("auctions", "phase", "Auctions held here, by phase; one that is final is at every instance."),
        "ended": ("auctions_ended", "reason", "Auctions that have ended since the house's process began."),
        "rejected": ("rejected", "code", "Commands that the rules refused."),
        "refused": ("refused", "code", "Messages that were refused before the rules, at the gateway or in the house."),
        "reputation": (
            "reputation_points",
            "kind",
            "What bidders have gained and lost in reputation, by the registry.",
        ),
    }
)
"""Family of ``measures`` → name, label, and what it is; all but ``auctions`` only grow."""
LABELS: Final = MappingProxyType(
    {"auctions": tuple(each.value for each in Phase), "ended": tuple(each.value for each in EndReason)}
)
"""Family of ``measures`` → labels of which there is a series at any time, at 0 where the house says nothing of one."""


class MetricsEndpoint:
    """Serves what :meth:`tell` was last told, at http://host:port/metrics, until it is closed."""

    def __init__(self, host: str, port: int, seconds: Callable[[], float] = time.monotonic) -> None:
        """Raises ConfigurationError where the library is missing, or the port cannot be had."""
        try:
            from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ConfigurationError(
                "metrics need the library prometheus-client", hint="install it: pip install 'auctionctl[metrics]'"
            ) from error
        self._seconds = seconds
        self._told: tuple[float, Measures] | None = None
        self._restarts: Counter[str] = Counter()
        registry = CollectorRegistry()
        registry.register(self)
        server: WSGIServer
        thread: threading.Thread
        try:
            server, thread = start_http_server(port, addr=host, registry=registry)
        except OSError as error:
            raise ConfigurationError(
                f"cannot serve metrics on {host}:{port}: {str(error.strerror).lower()}",
                hint="another port: --metrics 127.0.0.1:9188",
            ) from error
        # A scraper that goes away in the middle of its request is its own affair, and no traceback of ours.
        server.handle_error = _say_nothing  # type: ignore[method-assign, assignment]
        self._server, self._thread = server, thread

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_port)

    def tell(self, measures: Measures) -> None:
        """The latest that the house has said."""
        self._told = (self._seconds(), measures)

    def restarted(self, process: str) -> None:
        """The process of this name had died, and was started again."""
        self._restarts[process] += 1

    def collect(self) -> Iterator[Metric]:
        """For the registry, at each scrape; called in its thread."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

        told = self._told
        is_up = told is not None and self._seconds() - told[0] <= STALE_S
        yield GaugeMetricFamily("auctionctl_up", "Whether the house has said anything lately.", value=int(is_up))
        restarts = CounterMetricFamily("auctionctl_restarts", "Processes that had died.", labels=["process"])
        for process, count in self._restarts.items():
            restarts.add_metric([process], count)
        yield restarts
        if told is not None and is_up:
            own = own_state()
            supervisor = ProcessMeasure("supervisor", own.pid, own.cpu_ns, own.rss_bytes, own.descriptors)
            yield from metrics_of(replace(told[1], processes=(supervisor, *told[1].processes)))

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _say_nothing(_request: object, _client_address: object) -> None:
    """In place of the traceback that the library would write."""


def metrics_of(measures: Measures) -> Iterator[Metric]:
    """Everything in ``measures`` but single peers and auctions, of which there may be any number."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

    amounts = dict(measures.amounts)
    for amount, words in GROWING.items():
        yield CounterMetricFamily(f"auctionctl_{amount}", words, value=amounts.get(amount, 0))
    for amount, (name, words) in STANDING.items():
        yield GaugeMetricFamily(f"auctionctl_{name}", words, value=amounts.get(amount, 0))
    for family, (name, label, words) in FAMILIES.items():
        kind = GaugeMetricFamily if family == "auctions" else CounterMetricFamily
        metric = kind(f"auctionctl_{name}", words, labels=[label])
        told = {each.label: each.count for each in measures.labelled if each.family == family}
        for of_label, count in (dict.fromkeys(LABELS.get(family, ()), 0) | told).items():
            metric.add_metric([of_label], count)
        yield metric
    started_s = measures.started_ns / SECOND_NS
    yield GaugeMetricFamily("auctionctl_start_time_seconds", "When the house's process began.", value=started_s)
    yield from _stages(measures)
    yield from _processes(measures)


def _stages(measures: Measures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily  # noqa: PLC0415

    words = "What requests took in each stage; total is from the gateway's receipt to its answer."
    summary = SummaryMetricFamily("auctionctl_stage_seconds", words, labels=["stage"])
    lately = GaugeMetricFamily(
        "auctionctl_stage_recent_seconds", "The same over about the last minute.", labels=["stage", "quantile"]
    )
    for each in measures.stages:
        summary.add_metric([each.stage], each.total_count, each.total_ns / SECOND_NS)
        for quantile, duration_ns in (("0.5", each.p50_ns), ("0.99", each.p99_ns), ("1", each.longest_ns)):
            lately.add_metric([each.stage, quantile], duration_ns / SECOND_NS)
    yield summary
    yield lately


def _processes(measures: Measures) -> Iterable[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

    label = ["process"]
    cpu = CounterMetricFamily("auctionctl_process_cpu_seconds", "Processor time of each process.", labels=label)
    memory = GaugeMetricFamily("auctionctl_process_resident_memory_bytes", "Memory of each process.", labels=label)
    files = GaugeMetricFamily("auctionctl_process_open_fds", "Descriptors of each process.", labels=label)
    for each in measures.processes:
        cpu.add_metric([each.name], each.cpu_ns / SECOND_NS)
        memory.add_metric([each.name], each.rss_bytes)
        files.add_metric([each.name], each.descriptors)
    return (cpu, memory, files)
