"""The bids of which it is not known what became of them: on disk before they are sent, and until that is known.

Rule: a bid is durable here before the house can have it, so that whoever comes after a crash knows what may have to be
paid; what cannot be read stops a bidder, as its budget could be exceeded. All bids that are about to be sent at once
are made durable at once. To forget a bid too late does no harm: it is handed in again, and the log says at once what
became of it. Source: DESIGN.md section 8, client rule.

One file for a bidder at a house, replaced as a whole, so that there is never half of one: the line
``auctionctl-bids/1``, a line a bid, and ``end`` with their number. A bid's line is ``sent``, or ``refused`` once the
house has rejected it (which it might nevertheless accept, until the bid's own time is over), body and signature in
base64. The signatures say whether the bids are whole.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from auctionctl.auction.bid import Bid, decode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.bidding.notices import BidPlaced, BidRejected
from auctionctl.bidding.wallet import Wallet
from auctionctl.client.files import (
    PRIVATE_MODE,
    Existing,
    make_private_directories,
    read_bounded,
    sync_directory,
    write_whole,
)
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, NotFoundError, RemoteProtocolError
from auctionctl.keys.signing import Identity
from auctionctl.wire.frames import Message, is_signed_by

VERSION: Final = b"auctionctl-bids/1"
END: Final = b"end"
SENT: Final = b"sent"
REFUSED: Final = b"refused"
MAX_FILE_BYTES: Final = 1 << 22
MAX_BIDS: Final = 4_096
"""Far more than a bidder has unanswered at once: where a rule refuses its bids, some fifty an auction."""
DAMAGE_HINT: Final = (
    "restore it from a copy; or, if you know what became of every bid (`auctionctl show`), remove it: until then a"
    " budget could be exceeded"
)

Choice = Callable[[Bid], bool]
"""Whether a bid concerns a run."""


class Undecided(NamedTuple):
    """What earlier runs bid, and may yet have to pay: what they had no answer to, and what the house had rejected."""

    unanswered: list[Message]
    refused: list[Message]


class _Kept(msgspec.Struct):
    """One bid. ``is_watched``: this run made it, or was handed it, and so knows what becomes of it."""

    bid: Bid
    message: Message
    state: bytes
    is_watched: bool


class BidJournal:
    """The undecided bids of ``bidder`` at ``house``. Only for whoever holds the place of that key's one bidder."""

    def __init__(self, paths: Paths, bidder: Identity, house: Identity) -> None:
        """Raises ConfigurationError for a journal that cannot be read, or that there is no place for."""
        self._path = paths.undecided_bids(bidder.text, house.text)
        self._bidder = bidder
        self._house = house
        self._make_directory()
        self._kept = self._read()
        self._is_owed = False
        self._is_stale = False

    def __len__(self) -> int:
        return len(self._kept)

    def hand_in(self, concerns: Choice) -> Undecided:
        """The bids of earlier runs that concern this one, which from now on follows what becomes of them."""
        chosen = [kept for kept in self._kept.values() if concerns(kept.bid)]
        for kept in chosen:
            kept.is_watched = True
        return Undecided(
            [kept.message for kept in chosen if kept.state == SENT],
            [kept.message for kept in chosen if kept.state == REFUSED],
        )

    def keep(self, placed: BidPlaced) -> None:
        """A bid is about to be sent: not before :meth:`sync`. Raises ConfigurationError if there is no room."""
        if len(self._kept) >= MAX_BIDS:
            raise ConfigurationError(
                f"{self._path} holds {MAX_BIDS} bids of which it is not known what became of them",
                hint="bid in those auctions again, until their logs have said so",
            )
        bid = decode_bid(placed.message.body)
        self._kept[placed.command] = _Kept(bid, placed.message, SENT, is_watched=True)
        self._is_owed = True

    def sync(self) -> None:
        """Make every bid durable that was handed to :meth:`keep`. If this raises ConfigurationError, none may be sent.

        A crash before this line: those bids were never made. After it: they may have been sent, and the next run takes
        them up.
        """
        if self._is_owed:
            self._write()

    def refused(self, rejected: BidRejected) -> None:
        """The house has rejected this bid: it is not to be pressed by another run."""
        kept = self._kept.get(rejected.command)
        if kept is not None and kept.state != REFUSED:
            kept.state = REFUSED
            self._is_stale = True

    def forget_decided(self, wallet: Wallet) -> None:
        """Drop what this run made or was handed, and is not undecided any more for its ``wallet``; and say so on disk.

        Raises ConfigurationError.
        """
        decided = [
            command
            for command, kept in self._kept.items()
            if kept.is_watched and not wallet.is_undecided(kept.bid.auction, command)
        ]
        for command in decided:
            del self._kept[command]
        if decided or self._is_stale:
            self._write()

    # The file

    def _write(self) -> None:
        lines = [VERSION]
        for kept in self._kept.values():
            body, signature = (b2a_base64(data, newline=False) for data in kept.message)
            lines.append(b"%b %b %b" % (kept.state, body, signature))
        lines += [b"%b %d" % (END, len(self._kept)), b""]
        write_whole(self._path, b"\n".join(lines), PRIVATE_MODE, Existing.REPLACE)
        self._is_owed = self._is_stale = False

    def _make_directory(self) -> None:
        directory = self._path.parent
        missing = [step for step in (directory, *directory.parents) if not step.exists()]
        make_private_directories(directory)
        try:
            # A crash must not take away the name under which bids lie.
            for step in missing:
                sync_directory(step.parent)
        except OSError as error:
            raise ConfigurationError(f"cannot keep {directory}: {(error.strerror or '').lower()}") from error

    def _read(self) -> dict[bytes, _Kept]:
        try:
            found = parse_journal(read_bounded(self._path, MAX_FILE_BYTES), self._bidder, self._house)
            return {
                command_id(message.body): _Kept(bid, message, state, is_watched=False) for state, message, bid in found
            }
        except NotFoundError:
            return {}
        except ConfigurationError as error:
            error.hint = DAMAGE_HINT
            raise
        except (ValueError, RemoteProtocolError) as error:
            raise ConfigurationError(
                f"{self._path} is damaged: which bids were sent, and may have to be paid, cannot be told",
                hint=DAMAGE_HINT,
            ) from error


def parse_journal(data: bytes, bidder: Identity, house: Identity) -> list[tuple[bytes, Message, Bid]]:
    """(``sent`` or ``refused``, message, bid) of each bid of ``bidder`` at ``house`` in the journal ``data``.

    Raises ValueError or RemoteProtocolError for what is no such journal, or not whole.
    """
    version, *lines, end, rest = data.split(b"\n")
    if version != VERSION or end != b"%b %d" % (END, len(lines)) or rest:
        raise ValueError("it is not whole")
    return [_parse_line(line, bidder, house) for line in lines]


def _parse_line(line: bytes, bidder: Identity, house: Identity) -> tuple[bytes, Message, Bid]:
    state, body_text, signature_text = line.split(b" ")
    message = Message(a2b_base64(body_text), a2b_base64(signature_text))
    bid = decode_bid(message.body)
    is_ours = bid.house == house.signing and bid.bidder == bidder.signing
    if state not in (SENT, REFUSED) or not is_ours or not is_signed_by(bid.bidder, *message):
        raise ValueError("it is not a bid of ours at this house")
    return state, message, bid


def earlier_words(count: int) -> str:
    """What people are told of so many bids of earlier runs."""
    if count == 1:
        return "1 bid of an earlier run may yet be accepted: it binds the budget until it is known what became of it"
    bids = f"{count} bids of earlier runs may yet be accepted"
    return f"{bids}: they bind the budget until it is known what became of them"
