"""Receipts on disk: one file each, under names that a person recognises.

Rule: ``<listing>-<12 digits of the auction>/<seq>-<amount>-<12 digits of the bid>.tlog-proof``, for a joining
``joined-<12 digits>.tlog-proof``, for a seller's terms ``terms-<12 digits>.tlog-proof``, for other commands
``<type>-<12 digits>.tlog-proof``; private, whole, and durable
when :class:`ReceiptFiles` returns the path. A listing is checked to be a name (:mod:`auctionctl.auction.terms`), so
that it cannot lead elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.client.files import PRIVATE_MODE, Existing, make_private_directories, write_whole

if TYPE_CHECKING:
    from auctionctl.auction.price import Money
    from auctionctl.bidding.notices import Evidence

SUFFIX: Final = ".tlog-proof"
CLOCK_HEAD: Final = "clock-head.note"
"""The last clock head of an auction (:mod:`auctionctl.tlog.cosignature`)."""


SHORT_DIGITS: Final = 12


def short_id(auction: bytes) -> str:
    """The first digits of an auction's id: enough for a person, and for those who look for it."""
    return auction.hex()[:SHORT_DIGITS]


class ReceiptFiles:
    """The receipts of this machine's bidders and sellers, under ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def keep_join(self, listing: str, evidence: Evidence) -> Path:
        """Keep the proof of a joining; ``listing`` may be empty. Raises ConfigurationError."""
        return self._keep(listing, evidence, "joined")

    def keep_terms(self, listing: str, evidence: Evidence) -> Path:
        """Keep the proof that an auction was opened. Raises ConfigurationError."""
        return self._keep(listing, evidence, "terms")

    def keep_bid(self, listing: str, seq: int, money: Money, evidence: Evidence) -> Path:
        """Keep the proof of a bid. Raises ConfigurationError."""
        return self._keep(listing, evidence, f"{seq}-{money}")

    def keep_command(self, listing: str, name: str, evidence: Evidence) -> Path:
        """Keep the proof of a command; ``name`` is its type, such as ``pay``. Raises ConfigurationError."""
        return self._keep(listing, evidence, name)

    def keep_clock_head(self, listing: str, auction: bytes, note: bytes) -> Path:
        """Keep the last clock head of an auction, instead of the one before it. Raises ConfigurationError."""
        path = self.clock_head_path(listing, auction)
        make_private_directories(path.parent)
        write_whole(path, note, PRIVATE_MODE, Existing.REPLACE)
        return path

    def clock_head_path(self, listing: str, auction: bytes) -> Path:
        """Where the last clock head of an auction is, if there is one; ``listing`` may be empty."""
        return self._directory_of(listing, auction) / CLOCK_HEAD

    def _directory_of(self, listing: str, auction: bytes) -> Path:
        name = short_id(auction)
        return self.directory / (f"{listing}-{name}" if listing else name)

    def _keep(self, listing: str, evidence: Evidence, name: str) -> Path:
        directory = self._directory_of(listing, evidence.auction)
        make_private_directories(directory)
        path = directory / f"{name}-{short_id(evidence.command)}{SUFFIX}"
        write_whole(path, evidence.text.encode(), PRIVATE_MODE, Existing.REPLACE)
        return path
