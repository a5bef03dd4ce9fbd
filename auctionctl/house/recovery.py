"""Rebuilding a log from the store: every entry through the rules again, every hash anew (DESIGN.md sections 7 and 10).

Signatures are not checked a second time: they were before the entry was stored, and the store is the house's own. What
does not replay is quarantined by the caller: that auction stands still, the others run.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid
from auctionctl.auction.command_id import command_id
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Entry
from auctionctl.tlog.merkle import Tree, leaf_hash

ENTRIES_AT_ONCE: Final = 128
"""So many are hashed in one go."""

Rebuild = Callable[[AuctionLog], AuctionLog | None]
"""A log → the same as it is stored; None where nothing of it is."""

_NAME = re.compile(r"auction/([0-9a-f]{64})")


class _OwnReplay(Replay):
    """A replay of what this house stored itself, without what does not decide whether the store holds.

    Signatures were checked before their entries were stored; the heads that bidders named are their claims, which no
    rule looks at; and the tree is grown by :func:`replay_stored`, by many entries at once.
    """

    __slots__ = ()

    def _grow(self, data: bytes) -> None:
        """Not here."""

    def _check_head(self, bid: Bid, index: int) -> None:
        """Not here."""

    def _check_signature(self, signer: bytes, entry: Entry, index: int) -> None:
        """Not here."""


class Replayed(msgspec.Struct, frozen=True):
    """What the entries of one log come to: all of a house's log but its key."""

    terms_entry: Entry
    auction: Auction
    tree: Tree
    commands: dict[bytes, int]
    times_ns: array[int]


def replay_stored(house: bytes, name: str, entries: Iterable[bytes]) -> Replayed:
    """What the stored ``entries`` of the log called ``name`` come to; ``house`` is the house's signing key.

    VerificationError or TermsError if they do not make such a log.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise VerificationError(f"{name!a} is not the log of an auction", rule="terms")
    replay = _OwnReplay(house, bytes.fromhex(match[1]))
    first: Entry | None = None
    commands: dict[bytes, int] = {}
    times_ns = array("q")
    coming = iter(entries)
    while some := list(islice(coming, ENTRIES_AT_ONCE)):
        passed = [replay.apply(data) for data in some]
        first = first or passed[0].entry
        replay.tree.extend(b"".join([leaf_hash(data) for data in some]))
        times_ns.extend([applied.entry.time_ns for applied in passed])
        commands.update(
            [(command_id(applied.entry.body), applied.entry_index) for applied in passed if applied.entry.signature]
        )
    if first is None:
        raise VerificationError("a log without entries", rule="terms")
    return Replayed(first, replay.state, replay.tree, commands, times_ns)


def resume(key: SecretKey, replayed: Replayed) -> AuctionLog:
    """The house's log, from what its entries come to. Raises TermsError for a reserve that cannot be opened."""
    log = AuctionLog(key, replayed.terms_entry, replayed.auction, replayed.tree)
    log.commands = replayed.commands
    log.times_ns = replayed.times_ns
    log.sign_head()
    return log


def rebuild(key: SecretKey, name: str, entries: Iterable[bytes]) -> AuctionLog:
    """The log called ``name`` from its stored entries; VerificationError or TermsError if they do not make one."""
    return resume(key, replay_stored(key.identity.signing, name, entries))


def extend(key: SecretKey, log: AuctionLog, entries: Sequence[bytes]) -> None:
    """``log`` goes on with ``entries``, which another instance of the house has stored behind what is here.

    VerificationError for what does not follow: ``log`` is of no use then.
    """
    replay = _OwnReplay(key.identity.signing, log.id)
    replay.tree, replay.auction = log.tree, log.auction
    passed = [replay.apply(data) for data in entries]
    log.grow(passed, b"".join([leaf_hash(data) for data in entries]))
