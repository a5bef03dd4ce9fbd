"""Which functions a process spends its time in: the running one noted each millisecond of CPU time, and counted.

For the benchmark alone. It asks by :data:`VARIABLE`, in its own environment and so in that of what it starts, for a
file of each process in a directory. Rule: what is not asked for costs nothing. The timer counts every thread, and the
function is the main thread's: what libzmq does in its own thread shows as whatever waits meanwhile.

Source: setitimer(2).
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

VARIABLE: Final = "AUCTIONCTL_SAMPLES"
INTERVAL_S: Final = 0.001
PACKAGE: Final = "auctionctl"


class Sampler:
    """Counts while :meth:`start` is in force."""

    def __init__(self) -> None:
        self._counts: Counter[CodeType] = Counter()

    def start(self) -> None:
        """From now on; only in the main thread."""
        signal.signal(signal.SIGPROF, self._note)
        # What is interrupted goes on: nothing is to fail for being looked at.
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """No more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        if frame is not None:
            self._counts[frame.f_code] += 1

    def hottest(self) -> list[tuple[str, int]]:
        """(function, how often it was the running one), the most frequent first."""
        named: Counter[str] = Counter()
        for code, count in self._counts.items():
            named[f"{_module(code.co_filename)}:{code.co_name}"] += count
        return named.most_common()


@contextmanager
def sampled(name: str) -> Iterator[None]:
    """The block is looked at if that is asked for; the process is called ``name`` in the file that comes of it."""
    directory = os.environ.get(VARIABLE)
    if not directory:
        yield
        return
    import json  # noqa: PLC0415 - hardly ever needed

    sampler = Sampler()
    sampler.start()
    try:
        yield
    finally:
        sampler.stop()
        record = {"process": name, "hottest": sampler.hottest()}
        # One process may be looked at several times.
        Path(directory, f"{name}-{os.getpid()}-{time.monotonic_ns()}.json").write_text(json.dumps(record))


def _module(file: str) -> str:
    """``net/gateway`` of our own files; of others the name of the file."""
    path = Path(file).with_suffix("")
    parts = path.parts
    if PACKAGE in parts:
        return "/".join(parts[len(parts) - parts[::-1].index(PACKAGE) :])
    return path.name
