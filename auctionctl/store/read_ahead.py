"""What a stream held when it was opened, for whoever reads all of it log by log just after: a house that starts.

Rule: of a small stream everything comes at once by one reader, payloads included, and is kept until something is
written or heard; a reader for each log costs 25 ms, and a question for each message 0.2 ms. Of a large stream only
what lies in the headers comes, and every read is one of the cluster. What is kept is what the leader sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from auctionctl.store.jetstream import Stored

if TYPE_CHECKING:
    from auctionctl.store.jetstream import JetStream

MAX_BYTES: Final = 64 * 1024 * 1024
"""How large a stream may be that is kept in memory while a house starts."""


class ReadAhead:
    """The messages of ``stream``, by way of ``link``; kept from :meth:`begin` to :meth:`forget`."""

    def __init__(self, link: JetStream, stream: str) -> None:
        self._link = link
        self._stream = stream
        self._keeps = False
        self._kept: dict[int, Stored] = {}

    def begin(self, stream_bytes: int) -> None:
        """Keep what comes from now on, unless the stream is too large for that."""
        self._keeps = stream_bytes <= MAX_BYTES

    def forget(self) -> None:
        """Keep nothing any more."""
        self._keeps = False
        self._kept = {}

    def scan(self, start: int, until: int, take: Callable[[Stored], None]) -> None:
        """Have ``take`` each message from number ``start`` to ``until``, as :meth:`JetStream.scan` does."""
        subject = f"{self._stream}.>"
        if not self._keeps:
            self._link.scan(self._stream, subject, start, until, take)
            return

        def keep(message: Stored) -> None:
            self._kept[message.sequence] = message
            take(message)

        self._link.scan_whole(self._stream, subject, start, until, keep)

    def get(self, subject: str, sequences: Sequence[int]) -> list[Stored]:
        """The messages with these numbers, all of them under ``subject``, as :meth:`JetStream.get` does."""
        kept = [self._kept[each] for each in sequences if each in self._kept]
        if len(kept) == len(sequences) and all(message.subject == subject for message in kept):
            return kept
        return self._link.get(self._stream, subject, sequences)
