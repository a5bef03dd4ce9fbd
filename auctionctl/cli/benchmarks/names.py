"""The names of what ``bench`` can measure, in the order in which it does."""

from __future__ import annotations

import enum
from typing import Final


class Benchmark(enum.StrEnum):
    """A benchmark, by the word for it on the command line and in what comes of it."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    HOT = "hot"
    MANY = "many"
    FANOUT = "fanout"
    RESTART = "restart"
    VERIFY = "verify"
    STARTUP = "startup"
    GATEWAYS = "gateways"
    CLUSTER = "cluster"
    INSTANCES = "instances"


OF_SCALE: Final = frozenset({Benchmark.GATEWAYS, Benchmark.CLUSTER, Benchmark.INSTANCES})
"""Measured only where they are asked for: several houses at once, and servers that not everybody has."""
IN_CLUSTERS: Final = frozenset({Benchmark.CLUSTER, Benchmark.INSTANCES})
