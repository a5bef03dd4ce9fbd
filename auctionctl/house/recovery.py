"""Rebuilding a log from the store: every entry through the rules again, every hash anew (DESIGN.md sections 7 and 10).

Signatures are not checked a second time: they were before the entry was stored, and the store is the house's own. What
does not replay is quarantined by the caller: that auction stands still, the others run.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import Final

from auctionctl.auction.bid import Bid, command_id
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Entry
from auctionctl.tlog.merkle import Tree, leaf_hash

ENTRIES_AT_ONCE: Final = 256
"""So many are hashed in one go."""

_NAME = re.compile(r"auction/([0-9a-f]{64})")


class _OwnReplay(Replay):
    """A replay of what this house stored itself, without what does not decide whether the store holds.

    Signatures were checked before their entries were stored; the heads that bidders named are their claims, which no
    rule looks at. What has passed the rules is hashed many entries at once, and :meth:`finish` hashes the last of it.
    """

    __slots__ = ("_passed",)

    def __init__(self, house: bytes, auction: bytes) -> None:
        super().__init__(house, auction)
        self._passed: list[bytes] = []

    def finish(self) -> Tree:
        """The tree over everything that has passed."""
        self.tree.extend(b"".join([leaf_hash(data) for data in self._passed]))
        self._passed.clear()
        return self.tree

    def _grow(self, data: bytes) -> None:
        self._passed.append(data)
        if len(self._passed) == ENTRIES_AT_ONCE:
            self.finish()

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
    for data in entries:
        applied = replay.apply(data)
        entry = applied.entry
        first = first or entry
        times_ns.append(entry.time_ns)
        if entry.signature:
            commands[command_id(entry.body)] = applied.entry_index
    if first is None:
        raise VerificationError("a log without entries", rule="terms")
    log = AuctionLog(key, first, replay.state, replay.finish())
    log.commands = commands
    log.times_ns = times_ns
    log.sign_head()
    return log
