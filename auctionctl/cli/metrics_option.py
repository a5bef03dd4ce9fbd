"""``serve --metrics [HOST:]PORT``: where metrics are served, on the loopback interface unless another is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.output import write_note

if TYPE_CHECKING:
    from auctionctl.net.reports import Measured, Restarted

LOOPBACK: Final = "127.0.0.1"
MAX_PORT: Final = 65_535


def read_where(text: str) -> tuple[str, int]:
    """Host and port of ``9188``, ``192.0.2.1:9188`` or ``[::1]:9188``. Raises ArgumentError."""
    host, colon, port = text.rpartition(":")
    if not colon:
        host = LOOPBACK
    elif host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ArgumentError(f"--metrics: {text!r} is no place", hint="write an IPv6 address in brackets: [::1]:9188")
    if not host or not (port.isascii() and port.isdecimal() and 1 <= int(port) <= MAX_PORT):
        raise ArgumentError(
            f"--metrics: {text!r} is no place", hint=f"write [HOST:]PORT with a port from 1 to {MAX_PORT}, as 9188"
        )
    return host, int(port)


@contextmanager
def serving_metrics(where: str | None) -> Iterator[Callable[[Measured | Restarted], None]]:
    """Serve what the callable is told, at ``where``, until the end; None: nowhere, and what it is told is dropped.

    Raises ArgumentError for what is no place, ConfigurationError where the library or the port is missing.
    """
    if where is None:
        yield lambda _report: None
        return
    host, port = read_where(where)
    from auctionctl.net.metrics_endpoint import MetricsEndpoint  # noqa: PLC0415 - few want it
    from auctionctl.net.reports import Measured  # noqa: PLC0415

    def tell(report: Measured | Restarted) -> None:
        if isinstance(report, Measured):
            endpoint.tell(report.measures)
        else:
            endpoint.restarted(report.process)

    endpoint = MetricsEndpoint(host, port)
    write_note(f"metrics are served at http://{f'[{host}]' if ':' in host else host}:{port}/metrics")
    try:
        yield tell
    finally:
        endpoint.close()
