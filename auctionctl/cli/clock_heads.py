"""Clock heads on disk: the last one of each auction beside its receipts, and files of them held against logs.

Rule: the file of an auction holds one clock head whole, never part of one, and a later one takes its place. To lose the
last seconds in a crash does no harm, so no more than ``FILES_A_TICK`` are written at once: a bidder has to bid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.cli.files import read_bounded, shown
from auctionctl.cli.output import write_note
from auctionctl.errors import ConfigurationError, VerificationError

if TYPE_CHECKING:
    from auctionctl.cli.receipts import ReceiptFiles
    from auctionctl.keys.signing import Identity
    from auctionctl.replica.audit import Audit
    from auctionctl.tlog.cosignature import TimedCheckpoint

FILES_A_TICK: Final = 4


class ClockHeadFiles:
    """The last clock head of each auction of one bidder, under the directory of ``receipts``."""

    def __init__(self, receipts: ReceiptFiles) -> None:
        self._receipts = receipts
        self._unwritten: dict[bytes, tuple[str, bytes]] = {}
        self._has_complained = False

    def keep(self, auction: bytes, listing: str, note: bytes) -> None:
        """``note`` is the last one of ``auction`` now; ``listing`` may be empty."""
        self._unwritten[auction] = (listing, note)

    def write_some(self) -> None:
        """Write a few files, the longest waiting first. What cannot be written is said once."""
        for auction in list(self._unwritten)[:FILES_A_TICK]:
            self._write(auction)

    def write_all(self) -> None:
        """Write what is left."""
        for auction in list(self._unwritten):
            self._write(auction)

    def _write(self, auction: bytes) -> None:
        listing, note = self._unwritten.pop(auction)
        try:
            self._receipts.keep_clock_head(listing, auction, note)
        except ConfigurationError as error:
            if not self._has_complained:
                self._has_complained = True
                write_note(f"warning: the house's clock heads are not kept: {error}")


def read_clock_heads(files: Sequence[Path]) -> list[tuple[Path, bytes]]:
    """What ``files`` hold, one note each. Raises NotFoundError and ConfigurationError."""
    from auctionctl.tlog.note import MAX_NOTE_BYTES  # noqa: PLC0415

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
