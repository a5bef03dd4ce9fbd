"""What came of each auction, in one line at its end: a file in the state directory, written by the house's process.

Rule: nothing rests on it. It repeats what the log proves, beside what no log holds: how many bids the rules refused by
their bidders' fault, and how soon requests were answered about then. A file of MAX_FILE_BYTES is set aside in place of
the one before; a disk that takes nothing loses lines of this file, and never holds up the house.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec

from auctionctl.auction.phase import EndReason
from auctionctl.errors import StoreError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.metrics import Recent, Stage

FILE_NAME: Final = "summaries.jsonl"
OLDER_NAME: Final = "summaries.1.jsonl"
MAX_FILE_BYTES: Final = 16 << 20
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Summary(msgspec.Struct, frozen=True, gc=False):
    """One auction at the end of its bidding. Times are the house's, amounts minor units, keys and ids hex.

    ``answered_p50_ns`` and ``answered_p99_ns`` are of all requests of the house in the minute before.
    """

    auction: str
    listing: str
    end_reason: EndReason
    winner: str
    price_minor: _Count | None
    currency: str
    bids: _Count
    bidders: _Count
    invalid: _Count
    extensions: _Count
    pauses: _Count
    announced_ns: _Count
    opened_ns: _Count
    ended_ns: _Count
    answered_p50_ns: _Count
    answered_p99_ns: _Count


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Summary).decode


def summarise(log: AuctionLog, answered_p50_ns: int, answered_p99_ns: int) -> Summary:
    """Of the auction of ``log``, which has ended, at a house that has lately answered so soon."""
    auction = log.auction
    assert auction.end_reason is not None
    sale = auction.sale
    return Summary(
        auction=log.id.hex(),
        listing=auction.terms.listing,
        end_reason=auction.end_reason,
        winner="" if sale is None else sale.leader.hex(),
        price_minor=None if sale is None else sale.price_minor,
        currency=auction.terms.rules.currency,
        bids=auction.bid_count,
        bidders=len(auction.seqs),
        invalid=sum(log.invalid.values()),
        extensions=auction.extensions,
        pauses=auction.pauses.count,
        announced_ns=auction.announced_ns,
        opened_ns=auction.opened_at_ns,
        ended_ns=auction.ended_ns,
        answered_p50_ns=answered_p50_ns,
        answered_p99_ns=answered_p99_ns,
    )


class Summaries:
    """The writer, for the house whose state is in the directory ``state``."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE_NAME
        self._lines: list[bytes] = []

    def note_ended(self, logs: Sequence[AuctionLog], recent: Recent) -> None:
        """That these auctions have ended, at once; ``recent`` is what their house measures, looked at once for all."""
        if logs:
            answered = recent.lately(Stage.TOTAL)
            percentiles_ns = (answered.percentile_ns(500), answered.percentile_ns(990))
            for log in logs:
                self.note(summarise(log, *percentiles_ns))

    def note(self, summary: Summary) -> None:
        """To be written at the next :meth:`flush`."""
        self._lines.append(_encode(summary) + b"\n")

    def flush(self) -> None:
        """Write what was noted since the last time, at one stroke."""
        if not self._lines:
            return
        data, self._lines = b"".join(self._lines), []
        try:
            with open(os.open(self._path, _FLAGS, 0o600), "wb", buffering=0) as file:
                size_bytes = os.fstat(file.fileno()).st_size
                if size_bytes and size_bytes + len(data) > MAX_FILE_BYTES:
                    os.replace(self._path, self._path.with_name(OLDER_NAME))
                    self._lines = [data]
                elif file.write(data) != len(data):
                    # On a full disk; what comes next would be taken for the rest of a line.
                    file.truncate(size_bytes)
        except OSError:
            return
        if self._lines:
            self.flush()


def read_summaries(state: Path) -> list[Summary]:
    """All of the house whose state is in the directory ``state``, in the order of their ends. Raises StoreError."""
    found: list[Summary] = []
    for name in (OLDER_NAME, FILE_NAME):
        path = state / name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(f"cannot read {path}: {str(error.strerror).lower()}") from error
        # A line that is still being written is left out.
        for line in data[: data.rfind(b"\n") + 1].splitlines():
            try:
                found.append(_decode(line))
            except msgspec.DecodeError as error:
                raise StoreError(f"{path} is damaged: {error}", hint="move it away: nothing rests on it") from error
    return found
