"""The names of what ``bench`` can measure, in the order in which it does."""

from __future__ import annotations

import enum


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
