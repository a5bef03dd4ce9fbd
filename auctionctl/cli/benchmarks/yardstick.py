"""What figures are compared with: bare signature verification, and a disk that makes something durable.

Rule: measured on the same machine in the same minute as what is compared with it, between its rounds. Bare
verification is timed by the clock, for rates, and by the CPU time of this process, for costs: while others use the
machine too, the two are not the same. It is of signatures that differ, as those of bids do: libsodium takes its way by
the bits of each, and a processor that sees one alone again and again has learnt them, and is 5 % faster.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

BARE_S: Final = 0.5
KEYS: Final = 64
SIGNATURES: Final = 256
MESSAGE_BYTES: Final = 220
SYNCS: Final = 100
SYNC_BYTES: Final = 16_384
MICROSECONDS: Final = 1_000_000


class Bare(NamedTuple):
    """Bare verification on one core: how many a second, and how many microseconds of CPU time one takes."""

    per_s: float
    cpu_us: float


class BareVerification:
    """Verifies signatures over as many bytes as a bid has, again and again, and nothing else: ``seconds`` a round."""

    def __init__(self, seconds: float = BARE_S) -> None:
        from auctionctl.keys.signing import SecretKey  # noqa: PLC0415 - imports libsodium

        keys = [SecretKey(number.to_bytes(32, "big")) for number in range(KEYS)]
        self._signed: list[tuple[bytes, bytes, bytes]] = []
        for number in range(SIGNATURES):
            key, message = keys[number % KEYS], number.to_bytes(MESSAGE_BYTES, "big")
            self._signed.append((key.identity.signing, message, key.sign(message)))
        self._seconds = seconds
        self.rounds: list[Bare] = []

    def measure(self) -> Bare:
        """Another round, which is kept as well."""
        from auctionctl.keys.signing import verify  # noqa: PLC0415

        done, started_s, cpu_s = 0, time.perf_counter(), time.process_time()
        while (elapsed_s := time.perf_counter() - started_s) < self._seconds:
            for public, message, signature in self._signed:
                verify(public, message, signature)
            done += SIGNATURES
        self.rounds.append(Bare(done / elapsed_s, (time.process_time() - cpu_s) / done * MICROSECONDS))
        return self.rounds[-1]

    @property
    def per_s(self) -> float:
        """The median of the rounds."""
        return statistics.median(each.per_s for each in self.rounds)

    @property
    def cpu_us(self) -> float:
        """The median of the rounds."""
        return statistics.median(each.cpu_us for each in self.rounds)


def fdatasync_ms(home: Path) -> float:
    """The median of making 16 KiB at the end of a growing file durable: what a small commit costs at the least."""
    with TemporaryDirectory(prefix="sync-", dir=home) as directory:
        path = Path(directory) / "probe"
        times_s: list[float] = []
        with path.open("wb", buffering=0) as probe:
            sync = getattr(os, "fdatasync", os.fsync)
            for _ in range(SYNCS):
                probe.write(bytes(SYNC_BYTES))
                started_s = time.perf_counter()
                sync(probe.fileno())
                times_s.append(time.perf_counter() - started_s)
    return statistics.median(times_s) * 1_000
