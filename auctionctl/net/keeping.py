"""What a house keeps beside its logs: what halts one, and what proves that a bidder signed two bids under one number.

Rule: nothing here holds up the house. Of a log, no more than its last :data:`LOOK_BACK` entries are looked through for
the bid that was accepted; it is in the log whether it is found or not. Source: DESIGN.md sections 6 and 10.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final, assert_never

from auctionctl.auction.bid import decode_bid
from auctionctl.house.effects import Conflict, Halt
from auctionctl.net.halting import Halting
from auctionctl.store.conflict_files import ConflictFiles
from auctionctl.store.log_store import LogStore
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.frames import Message

LOOK_BACK: Final = 1_024


class Keeping:
    """``control`` leads to the supervisor; ``directory`` is that of the state, and held; ``store`` has the logs."""

    def __init__(self, control: socket.socket, directory: Path, store: LogStore) -> None:
        """Raises ConfigurationError if what was kept of halted logs is damaged."""
        self.halting = Halting(control, directory)
        self._conflicts = ConflictFiles(directory)
        self._store = store

    def keep(self, effect: Halt | Conflict) -> None:
        """Keep it, as far as there is room."""
        match effect:
            case Halt():
                self.halting.halt(effect)
            case Conflict(log, bidder, seq, message, time_ns):
                if self._conflicts.has_room(bidder, message.body):
                    accepted = self._find(log, bidder, seq)
                    self._conflicts.keep(time_ns, bidder, refused=message, accepted=accepted)
            case _:
                assert_never(effect)

    def _find(self, log: str, bidder: bytes, seq: int) -> Message | None:
        """The bid of this number that ``log`` holds, if it is among its last entries."""
        size = self._store.size(log)
        for data in self._store.read(log, max(0, size - LOOK_BACK)):
            entry = decode(data)
            if entry.kind is Kind.BID:
                bid = decode_bid(entry.body)
                if (bid.bidder, bid.seq) == (bidder, seq):
                    return Message(entry.body, entry.signature)
        return None
