"""Closed auctions leave the store for the archive, a little at a time and only while nobody bids (DESIGN.md section 9).

Rule: first the file is whole on the disk, then the store forgets the log, then the house does. A crash in between
repeats what was begun: the file of a log that has ended is always the same. What is archived stays announced in the
registry, and is never sold again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

import msgspec

from auctionctl.errors import StoreError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.house import House
from auctionctl.net.stored_logs import archive_name
from auctionctl.replica.export import encode_beginning, encode_end, encode_lines
from auctionctl.store.archive import Archive, Writing
from auctionctl.store.log_store import LogStore

PIECES_A_TURN: Final = 1_000


class _Moving(msgspec.Struct, frozen=True):
    """A log on its way, and what is still to be written of it before its end."""

    log: AuctionLog
    writing: Writing
    pieces: Iterator[bytes]


class Archiving:
    """Moves what has been closed for ``retention_ns`` (0: nothing, ever) from ``store`` to ``archive``."""

    def __init__(self, house: House, store: LogStore, archive: Archive, retention_ns: int) -> None:
        self.retention_ns = retention_ns
        self._house = house
        self._store = store
        self._archive = archive
        self._done: list[tuple[AuctionLog, Path]] = []
        self._moving: _Moving | None = None

    def check(self) -> None:
        """Raises ArchiveError if something is to be archived some day, and the archive can hold no files."""
        if self.retention_ns:
            self._archive.check()

    def take_done(self) -> list[tuple[AuctionLog, Path]]:
        """What has been archived since the last call, and in which file each log is now."""
        done, self._done = self._done, []
        return done

    def turn(self, now_ns: int) -> bool:
        """Do a little of what is to do; whether there was anything. Raises ArchiveError, and what the store raises.

        Whatever was raised, the next turn is possible: it begins the file anew.
        """
        if self._moving is None:
            log = self._next(now_ns)
            if log is None:
                return False
            self._moving = self._begin(log)
        try:
            self._move_on(self._moving)
        except StoreError:
            self.abandon()
            raise
        return True

    def abandon(self) -> None:
        """Drop what is under way; nothing has changed."""
        if self._moving is not None:
            self._moving.writing.abandon()
        self._moving = None

    def _next(self, now_ns: int) -> AuctionLog | None:
        if not self.retention_ns:
            return None
        for log in self._house.logs:
            auction = log.auction
            if auction.is_final and not log.is_halted and now_ns - auction.last_time_ns >= self.retention_ns:
                return log
        return None

    def _begin(self, log: AuctionLog) -> _Moving:
        pieces = chain([encode_beginning(log.tree.size)], encode_lines(self._store.read(log.name)))
        return _Moving(log, self._archive.write(archive_name(log.auction.terms.listing, log.id)), pieces)

    def _move_on(self, moving: _Moving) -> None:
        pieces = list(islice(moving.pieces, PIECES_A_TURN))
        moving.writing.add(pieces)
        if len(pieces) < PIECES_A_TURN:
            self._finish(moving.log, moving.writing)

    def _finish(self, log: AuctionLog, writing: Writing) -> None:
        announcement = self._house.registry.announcement(log.id)
        writing.add([encode_end(log.sign_head(), announcement)])
        writing.finish()
        self._store.remove(log.name, log.tree.size)
        self._house.forget(log)
        self._done.append((log, self._archive.path(archive_name(log.auction.terms.listing, log.id))))
        self._moving = None
