"""Rebuilding a log from the store: every entry through the rules again, every hash anew (DESIGN.md sections 7 and 10).

Signatures are not checked a second time: they were before the entry was stored, and the store is the house's own. What
does not replay is quarantined by the caller: that auction stands still, the others run.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from itertools import islice
from typing import Final

from auctionctl.auction.bid import Bid, command_id
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Entry
from auctionctl.tlog.merkle import leaf_hash

ENTRIES_AT_ONCE: Final = 128
"""So many are hashed in one go."""

_NAME = re.compile(r"auction/([0-9a-f]{64})")


class _OwnReplay(Replay):
    """A replay of what this house stored itself, without what does not decide whether the store holds.

    Signatures were checked before their entries were stored; the heads that bidders named are their claims, which no
    rule looks at; and the tree is grown by :func:`rebuild`, by many entries at once.
    """

    __slots__ = ()

    def _grow(self, data: bytes) -> None:
        """Not here."""

    def _check_head(self, bid: Bid, index: int) -> None:
        """Not here."""

    def _check_signature(self, signer: bytes, entry: Entry, index: int) -> None:
        """Not here."""


def rebuild(key: SecretKey, name: str, entries: Iterable[bytes]) -> AuctionLog:
    """The log called ``name`` from its stored entries; VerificationError or TermsError if they do not make one."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise VerificationError(f"{name!a} is not the log of an auction", rule="terms")
    replay = _OwnReplay(key.identity.signing, bytes.fromhex(match[1]))
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
    log = AuctionLog(key, first, replay.state, replay.tree)
    log.commands = commands
    log.times_ns = times_ns
    log.sign_head()
    return log
