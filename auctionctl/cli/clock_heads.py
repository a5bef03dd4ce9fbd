"""Clock heads on disk: the last one of each auction beside its receipts, and files of them held against logs.

Rule: the file of an auction holds one clock head whole, never part of one, and a later one takes its place; the next
run of the bidder holds it against the log as that is then. To lose the last seconds in a crash does no harm, so no
more than ``FILES_A_TICK`` are written in ``TICK_S``: a bidder has to bid.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.cli.output import write_note
from auctionctl.client.files import is_there, read_bounded, shown
from auctionctl.errors import ConfigurationError, NoteError, VerificationError
from auctionctl.tlog.note import MAX_NOTE_BYTES

if TYPE_CHECKING:
    from auctionctl.client.receipts import ReceiptFiles
    from auctionctl.keys.signing import Identity
    from auctionctl.replica.audit import Audit
    from auctionctl.replica.replica import Replica
    from auctionctl.tlog.cosignature import TimedCheckpoint

FILES_A_TICK: Final = 4
TICK_S: Final = 0.25


class ClockHeadFiles:
    """The last clock head of each auction of one bidder, whose ``replicas`` these are, beside its ``receipts``."""

    def __init__(self, receipts: ReceiptFiles, replicas: Mapping[bytes, Replica]) -> None:
        self._receipts = receipts
        self._replicas = replicas
        self._unwritten: dict[bytes, bytes] = {}
        self._recalled: set[bytes] = set()
        self._written_s = 0.0
        self._has_complained = False

    def keep(self, auction: bytes, note: bytes) -> None:
        """``note`` is the last one of ``auction`` now."""
        self._unwritten[auction] = note

    def recall(self, auction: bytes) -> None:
        """Hold what an earlier run kept of ``auction`` against its log; once, as soon as that has begun.

        Raises VerificationError if the log contradicts it.
        """
        replica = self._replicas[auction]
        if auction in self._recalled or replica.replay.auction is None:
            return
        self._recalled.add(auction)
        path = self._receipts.clock_head_path(replica.replay.auction.terms.listing, auction)
        if not is_there(path):
            return
        try:
            replica.stamp(read_bounded(path, MAX_NOTE_BYTES))
        except (ConfigurationError, NoteError) as error:
            write_note(f"warning: {shown(path)}, which an earlier run kept, is not compared: {error}")

    def write_some(self) -> None:
        """Write a few files, if it is time, the longest waiting first. What cannot be written is said once."""
        now_s = time.monotonic()
        if now_s - self._written_s >= TICK_S:
            self._written_s = now_s
            for auction in list(self._unwritten)[:FILES_A_TICK]:
                self._write(auction)

    def write_all(self) -> None:
        """Write what is left."""
        for auction in list(self._unwritten):
            self._write(auction)

    def _write(self, auction: bytes) -> None:
        note, state = self._unwritten.pop(auction), self._replicas[auction].replay.auction
        try:
            self._receipts.keep_clock_head("" if state is None else state.terms.listing, auction, note)
        except ConfigurationError as error:
            if not self._has_complained:
                self._has_complained = True
                write_note(f"warning: the house's clock heads are not kept: {error}")


def clock_words(ahead_ns: int) -> str:
    """What people are told of a house's clock that is so far ahead of this machine's, or behind."""
    side = "ahead of" if ahead_ns > 0 else "behind"
    return (
        f"warning: the house's clock is {abs(ahead_ns) / 1e9:.0f} s {side} this machine's: one of the two is wrong, and"
        " what the house dates may be"
    )


def read_clock_heads(files: Sequence[Path]) -> list[tuple[Path, bytes]]:
    """What ``files`` hold, one note each. Raises NotFoundError and ConfigurationError."""
    return [(file, read_bounded(file, MAX_NOTE_BYTES)) for file in files]


def check_log(log: Audit, notes: Sequence[tuple[Path, bytes]]) -> tuple[str, str]:
    """The fact that all of these clock heads agree with ``log``. Raises VerificationError, naming file and entry."""
    from auctionctl.replica.audit import compare_with_clock_head  # noqa: PLC0415

    heads = []
    for file, note in notes:
        with _about(file):
            heads.append(compare_with_clock_head(log, note))
    return _fact(heads)


def check_entry(
    house: Identity, origin: str, index: int, time_ns: int, notes: Sequence[tuple[Path, bytes]]
) -> tuple[str, str]:
    """The fact that all of these clock heads let an entry be dated so. Raises VerificationError, naming the file."""
    from auctionctl.replica.audit import hold_against_clock_head  # noqa: PLC0415

    heads = []
    for file, note in notes:
        with _about(file):
            heads.append(hold_against_clock_head(house, origin, index, time_ns, note))
    return _fact(heads)


@contextmanager
def _about(file: Path) -> Iterator[None]:
    """Whoever reads the error has given several files: it says which one."""
    try:
        yield
    except VerificationError as error:
        error.hint = f"{shown(file)}: {error.hint}"
        raise


def _fact(heads: Sequence[TimedCheckpoint]) -> tuple[str, str]:
    from auctionctl.cli.records import clock_time  # noqa: PLC0415

    last = max(heads, key=lambda head: head.time_s)
    agree = "1 agrees" if len(heads) == 1 else f"{len(heads)} agree"
    return "clock heads", f"{agree}; the last one is of {clock_time(last.time_ns)}, over {last.checkpoint.size} entries"
