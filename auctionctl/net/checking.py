"""Checking the signatures of a log's bids in other processes at once, so that every core helps to verify a file.

Rule: another process only does what this one would do itself. It answers for a piece of the log which bids are signed
by the key that they name; whatever it does not vouch for is checked here again, so that what is wrong with it is said
in the same words. Nothing rests on its being there: what one that died has not answered is checked here.

Pieces are dealt out in the order of the log, a few at a time, from when the first of them is read; while this process
waits for the verdict on the one that it is to replay next, it checks a later one itself. Verdicts are a byte an entry,
in the order in which pieces came.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from auctionctl.net.checker import parts_of, vouch, wait_for
from auctionctl.net.children import spawn
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.wire.frames import is_signed_by

KIND: Final = "checker"
MAX_CHECKERS: Final = 7
PIECE_ENTRIES: Final = 64
AHEAD_PIECES: Final = 3
"""So many at the most wait for one process."""

_encode = msgspec.msgpack.Encoder().encode


def count_checkers(cores: int | None = None) -> int:
    """How many other processes there are to be; ``cores`` are the machine's, and one is for this process."""
    return max(0, min(MAX_CHECKERS, (cores or os.cpu_count() or 1) - 1))


class Crew:
    """So many other processes that help to verify one log. Whoever has made one closes it."""

    def __init__(self, checkers: int) -> None:
        self._checkers = [_Checker() for _ in range(checkers)]
        self._pieces: list[Sequence[bytes]] = []
        self._verdicts: dict[int, bytes] = {}
        self._next = 0
        """The first piece that nobody has been given."""
        self._vouched_for: bytes | None = None
        """The entry that came last, if another process vouches for it."""

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for checker in self._checkers:
            checker.close()

    def take(self, entries: Sequence[bytes]) -> None:
        """These come next, and may be looked at from now on."""
        self._pieces += [entries[start : start + PIECE_ENTRIES] for start in range(0, len(entries), PIECE_ENTRIES)]
        self._deal()

    def entries(self) -> Iterator[bytes]:
        """Each entry of the log, all of which was taken, in order; :meth:`is_signed` is asked about the last one."""
        for number, piece in enumerate(self._pieces):
            verdict = self._await(number)
            for data, vouched in zip(piece, verdict, strict=True):
                self._vouched_for = data if vouched else None
                yield data

    def is_signed(self, public: bytes, body: bytes, signature: bytes) -> bool:
        """Whether the key ``public`` signed ``body``, which is that of the entry that came last."""
        return self._vouches_for(public, body, signature) or is_signed_by(public, body, signature)

    def _vouches_for(self, public: bytes, body: bytes, signature: bytes) -> bool:
        """Whether this is what was checked, and nothing else: the word for one entry is none for another question."""
        return self._vouched_for is not None and parts_of(self._vouched_for) == (public, body, signature)

    def _deal(self) -> None:
        """Note what has been answered, and give whoever has room another piece."""
        for checker in self._checkers:
            self._verdicts.update(checker.collect())
            while self._next < len(self._pieces) and checker.has_room:
                checker.give(self._next, self._pieces[self._next])
                self._next += 1

    def _await(self, number: int) -> bytes:
        while True:
            self._deal()
            if (verdict := self._verdicts.pop(number, None)) is not None:
                return verdict
            under_way = [checker for checker in self._checkers if number in checker.given]
            if not under_way:
                self._next = max(self._next, number + 1)
                return vouch(self._pieces[number])
            if self._next < len(self._pieces):
                self._verdicts[self._next] = vouch(self._pieces[self._next])
                self._next += 1
            else:
                under_way[0].wait()


class _Checker:
    """One other process, and the numbers of the pieces that it was given and has not answered."""

    def __init__(self) -> None:
        self.given: deque[int] = deque()
        self._child = spawn(KIND)
        self._pipe: Pipe | None = Pipe(self._child.control)

    @property
    def has_room(self) -> bool:
        """Whether it is there, and another piece would not wait for long."""
        return self._pipe is not None and len(self.given) < AHEAD_PIECES

    def give(self, number: int, piece: Sequence[bytes]) -> None:
        """Have it check this one."""
        assert self._pipe is not None
        self.given.append(number)
        try:
            self._pipe.send(_encode(piece))
        except PipeClosedError:
            self._lose()

    def collect(self) -> list[tuple[int, bytes]]:
        """The verdicts that have come, each with the number of its piece."""
        if self._pipe is None:
            return []
        try:
            self._pipe.flush()
            return [(self.given.popleft(), verdict) for verdict in self._pipe.receive()]
        except PipeClosedError:
            self._lose()
            return []

    def wait(self) -> None:
        """Until there is something to collect, or it is gone."""
        if self._pipe is not None:
            wait_for(self._pipe, select.POLLIN | (select.POLLOUT if self._pipe.backlog_bytes else 0))

    def _lose(self) -> None:
        self._pipe = None
        self.given.clear()

    def close(self) -> None:
        """End the process."""
        self._child.control.close()
        self._child.process.kill()
        self._child.process.wait()
